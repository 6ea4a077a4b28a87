// What is known of the services that people open: their ports, whether they encrypt themselves, and how each is reached from a technician's PC.

/** open names the page that opens a service here. */
export const services = [
  {id: 'ssh', port: 22, tls: false, open: 'ssh'},
  {id: 'rdp', port: 3389, tls: false},
  {id: 'vnc', port: 5900, tls: true, open: 'vnc'},
  {id: 'http', port: 80, tls: true, open: 'http'},
  {id: 'https', port: 443, tls: false},
  {id: 'modbus', port: 502, tls: true, open: 'modbus'},
  {id: 'other', port: undefined, tls: true},
];

export const serviceOf = port => services.find(s => s.port === port) ?? services.at(-1);

/** Ports of protocols that encrypt themselves from the first byte or start TLS themselves (W19), that most often speak TLS already (W20), and
    that are plain (W21): as the relay warns of them when the mapping is made. */
const selfEncrypting = [22, 3389], https = [443, 8443];
const plain = [21, 23, 25, 80, 102, 502, 554, 1883, 5800, 5900, 5901, 8000, 8080, 20000, 44818, 47808];

/** Codes of what cannot work or is dangerous in a mapping. */
export function warnings({port, tls, ranges}) {
  const codes = [];
  if (tls && selfEncrypting.includes(port)) codes.push('W19');
  if (tls && https.includes(port)) codes.push('W20');
  if (!tls && plain.includes(port) && ranges.some(r => r.endsWith('/0'))) codes.push('W21');
  return codes;
}

/** The default of the TLS option for a port. */
export const defaultTLS = port => !selfEncrypting.includes(port) && !https.includes(port);

/** Source ranges as typed: addresses become ranges of one. Gives {ranges, bad}. */
export function parseRanges(text) {
  const ranges = text.split(/[\s,]+/).filter(Boolean).map(r => r.includes('/') ? r : r.includes(':') ? r + '/128' : r + '/32');
  const v4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/, v6 = /^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*\/(\d{1,3})$/;
  const good = r => {
    const four = v4.exec(r);
    if (four) return four.slice(1, 5).every(n => n <= 255) && four[5] <= 32;
    const six = v6.exec(r);
    return Boolean(six) && six[1] <= 128;
  };
  return {ranges, bad: ranges.find(r => !good(r))};
}

/** Where users connect to: the host name where it has a domain, otherwise the address. */
export function hostOf(m) {
  return m.hostname.includes('.') ? m.hostname : m.ipAddress;
}

export function endpointOf(m) {
  const host = hostOf(m);
  return `${host.includes(':') ? `[${host}]` : host}:${m.port}`;
}

/** A link for the QR code and for a new tab. */
export function linkOf(m) {
  const at = endpointOf(m);
  switch (serviceOf(m.destination.port).id) {
    case 'http': return `${m.tlsRequired ? 'https' : 'http'}://${at}/`;
    case 'ssh': return `ssh://${at}`;
    case 'vnc': return `vnc://${at}`;
    case 'rdp': return `rdp://full%20address=s:${at}`;
    default: return [443, 8443].includes(m.destination.port) ? `https://${at}/` : at;
  }
}

/** Where a tunnel listens on the technician's PC: a port that any user may open, and that the PC's own server of the kind does not have. */
const localPorts = {22: 2222, 502: 1502, 3389: 13389, 5900: 5999};
const localPort = port => localPorts[port] ?? (port < 1024 ? port + 10000 : port);

/** Ready commands for a mapping: [{tool, command}] and files: [{name, content}]. */
export function commands(m) {
  const at = endpointOf(m), port = m.destination.port, id = serviceOf(port).id;
  const to = localPort(port), local = `127.0.0.1:${to}`;
  const list = [], files = [];
  if (id === 'ssh' && !m.tlsRequired) {
    list.push({tool: 'ssh', command: `ssh -p ${m.port} USER@${hostOf(m)}`}, {tool: 'scp', command: `scp -P ${m.port} FILE USER@${hostOf(m)}:`});
  } else if (id === 'http') {
    list.push({tool: 'curl', command: m.tlsRequired ? `curl --cacert ca.pem https://${at}/` : `curl http://${at}/`});
  } else if (id === 'rdp' && !m.tlsRequired) {
    list.push({tool: 'mstsc', command: `mstsc /v:${at}`});
    files.push({name: 'device.rdp', content: `full address:s:${at}\r\nprompt for credentials:i:1\r\n`});
  } else if (m.tlsRequired) {
    list.push({tool: 'tunnel', command: `minato-testbench tunnel --accept ${local} --connect ${at} --ca ca.pem`});
    if (id === 'vnc') list.push({tool: 'vncviewer', command: `vncviewer ${local.replace(':', '::')}`});
    if (id === 'modbus') list.push({tool: 'mbpoll', command: `mbpoll -m tcp -p ${to} -r 1 -c 2 127.0.0.1`});
    if (id === 'ssh') list.push({tool: 'ssh', command: `ssh -p ${to} USER@127.0.0.1`});
    if (id === 'rdp') list.push({tool: 'mstsc', command: `mstsc /v:${local}`});
    files.push({name: 'stunnel.conf', content: `foreground = yes\n[device]\nclient = yes\naccept = ${local}\nconnect = ${at}\nCAfile = ca.pem\nverifyChain = yes\n`});
  } else {
    if (id === 'vnc') list.push({tool: 'vncviewer', command: `vncviewer ${hostOf(m)}::${m.port}`});
    else if (id === 'modbus') list.push({tool: 'mbpoll', command: `mbpoll -m tcp -p ${m.port} -r 1 -c 2 ${hostOf(m)}`});
    else if ([443, 8443].includes(port)) list.push({tool: 'curl', command: `curl -k https://${at}/`});
    else list.push({tool: 'nc', command: `nc ${hostOf(m)} ${m.port}`});
  }
  return {list, files, needsCA: m.tlsRequired, tunnel: list.some(c => c.tool === 'tunnel')};
}
