package relay

import "minato/relay/recognize"

// Cause is a numbered reason why a connection failed. Codes are stable: scripts and documents name them.
type Cause string

// The causes that the relay itself can tell: why a connection failed (R), and what to think about before one is made (W).
const (
	CauseSSHOnTLS            Cause = "R01"
	CauseRDPOnTLS            Cause = "R02"
	CauseHTTPOnTLS           Cause = "R03"
	CauseModbusOnTLS         Cause = "R04"
	CauseNotTLS              Cause = "R05"
	CauseSilentOnTLS         Cause = "R06"
	CauseTLSOnPlaintext      Cause = "R07"
	CauseDoubleTLS           Cause = "R08"
	CauseDeviceRefused       Cause = "R09"
	CauseDeviceTimeout       Cause = "R10"
	CauseSIMOffline          Cause = "R11"
	CauseSourceDenied        Cause = "R12"
	CauseExpired             Cause = "R13"
	CauseCertificateRejected Cause = "R14"
	CauseTLSTooOld           Cause = "R15"
	CauseTooMany             Cause = "R16"
	CauseDeviceHungUp        Cause = "R17"
	CauseStalled             Cause = "R18"

	CauseTLSOnSelfEncrypting Cause = "W19"
	CauseTLSOnHTTPS          Cause = "W20"
	CauseOpenPlaintext       Cause = "W21"
	CauseDurationInMinutes   Cause = "W22"
	CauseCallerOutside       Cause = "W23"

	CauseNetworkUnreachable Cause = "R37" // the numbers between are those of the agent and of the technician's computer
	CauseClientCertificate  Cause = "R38"
)

// causeText is a cause in words: what happened and the cure, in one line each language.
type causeText struct{ name, en, ja string }

var causeTexts = map[Cause]causeText{
	CauseSSHOnTLS: {"ssh-on-tls",
		"the client speaks SSH, which encrypts itself: make the mapping with the TLS option OFF",
		"クライアントは SSH で接続しています。SSH は自ら暗号化するため、TLS オプションを OFF にしてポートマッピングを作り直してください"},
	CauseRDPOnTLS: {"rdp-on-tls",
		"the client speaks RDP, which starts TLS itself: make the mapping with the TLS option OFF",
		"クライアントは RDP で接続しています。RDP は自ら TLS に切り替えるため、TLS オプションを OFF にしてポートマッピングを作り直してください"},
	CauseHTTPOnTLS: {"http-on-tls",
		"the client speaks plain HTTP: use https:// with the same host name and port",
		"クライアントは平文の HTTP で接続しています。同じホスト名とポートのまま https:// を使ってください"},
	CauseModbusOnTLS: {"modbus-on-tls",
		"the client speaks plain Modbus/TCP: put a TLS tunnel before the Modbus client",
		"クライアントは平文の Modbus/TCP で接続しています。Modbus クライアントの手前に TLS トンネルを置いてください"},
	CauseNotTLS: {"not-tls",
		"the client does not speak TLS: let it speak TLS, or turn the TLS option OFF for a protocol that encrypts itself",
		"クライアントが TLS で接続していません。TLS を使うか、自ら暗号化するプロトコルなら TLS オプションを OFF にしてください"},
	CauseSilentOnTLS: {"silent-on-tls",
		"the client sent nothing, so it waits for the device to speak first (VNC, SSH): put a TLS tunnel before it, or turn the TLS option OFF for SSH",
		"クライアントが何も送信しません。サーバーからの開始を待つプロトコル（VNC、SSH など）です。手前に TLS トンネルを置くか、SSH なら TLS オプションを OFF にしてください"},
	CauseTLSOnPlaintext: {"tls-on-plaintext",
		"the client speaks TLS but the device speaks plaintext: turn the TLS option ON, or let the client speak plaintext on purpose",
		"クライアントは TLS で接続していますが、デバイスは平文です。TLS オプションを ON にするか、クライアントを平文で接続してください"},
	CauseDoubleTLS: {"double-tls",
		"the device speaks TLS itself, so TLS was ended once too often: make the mapping with the TLS option OFF",
		"デバイス自身が TLS を使っているため、TLS が二重になっています。TLS オプションを OFF にしてポートマッピングを作り直してください"},
	CauseDeviceRefused: {"device-refused",
		"the device refused the connection: nothing listens on that port there, or only on 127.0.0.1",
		"デバイスが接続を拒否しました。そのポートで待ち受けているサービスがないか、127.0.0.1 だけで待ち受けています"},
	CauseDeviceTimeout: {"device-timeout",
		"the device did not answer though its SIM is online: look at the device's firewall, or its session is stale",
		"SIM はオンラインですがデバイスが応答しません。デバイスのファイアウォール、または古くなったセッションを確認してください"},
	CauseSIMOffline: {"sim-offline",
		"the SIM has no session: look at the device's power, antenna and SIM",
		"SIM がオフラインです。デバイスの電源、アンテナ、SIM の状態を確認してください"},
	CauseSourceDenied: {"source-denied",
		"the client's address is outside the mapping's ranges: a VPN, tethering or IPv6 changes the address",
		"接続元アドレスが許可された範囲の外です。VPN、テザリング、IPv6 で接続元アドレスが変わることがあります"},
	CauseExpired: {"expired",
		"the mapping has ended: make a new one; its duration is in seconds",
		"ポートマッピングの有効期限が切れています。新しく作成してください（duration の単位は秒です）"},
	CauseCertificateRejected: {"certificate-rejected",
		"the client rejected the relay's certificate: connect by the host name, and install the relay's CA",
		"クライアントが証明書を拒否しました。IP アドレスではなくホスト名で接続し、リレーの CA 証明書を導入してください"},
	CauseTLSTooOld: {"tls-too-old",
		"no TLS version or cipher suite in common: update the client to TLS 1.2 or later",
		"共通の TLS バージョンまたは暗号スイートがありません。クライアントを TLS 1.2 以降に更新してください"},
	CauseTooMany: {"too-many",
		"there are too many connections, or too many in a short time: close some, or find the client that keeps opening them; the log says which limit, and when it ends",
		"同時接続数または短時間の接続回数が上限に達しています。不要な接続を閉じるか、接続を開き続けているクライアントを探してください（どの上限がいつ解除されるかはログにあります）"},
	CauseDeviceHungUp: {"device-hung-up",
		"the device accepted the connection and closed it without a byte: see whether its service runs, then look at that service's log and allow list",
		"デバイスは接続を受け付けた後、何も送らずに切断しました。サービスが動作しているか、またそのログと接続許可リストを確認してください"},
	CauseStalled: {"stalled",
		"the first bytes passed, then no more came through: large packets are lost on the way (lower the MTU or clamp the MSS), or the line is too weak",
		"最初のデータは届きましたが、その後のデータが届いていません。大きなパケットが途中で失われています（MTU を下げるか MSS を調整）、または電波状態が悪い可能性があります"},
	CauseTLSOnSelfEncrypting: {"tls-on-self-encrypting",
		"the TLS option is ON for a port whose protocol encrypts itself (SSH, RDP): its clients cannot connect directly, only through a tunnel, which they do not need; use OFF",
		"自ら暗号化するプロトコル（SSH、RDP）のポートに TLS オプションが ON です。クライアントは直接接続できず、本来不要なトンネルが必要になるため OFF にしてください"},
	CauseTLSOnHTTPS: {"tls-on-https",
		"the TLS option is ON for a port that most often speaks TLS already: TLS would be ended twice; use OFF",
		"すでに TLS を使うことが多いポートに TLS オプションが ON です。TLS が二重になるため OFF にしてください"},
	CauseOpenPlaintext: {"open-plaintext",
		"a protocol without encryption is open to the whole internet: narrow the range, or turn the TLS option ON",
		"暗号化されないプロトコルがインターネット全体に公開されます。接続元の範囲を絞るか、TLS オプションを ON にしてください"},
	CauseDurationInMinutes: {"duration-in-minutes",
		"the mapping lasts less than a minute: duration is in seconds, at most 28800",
		"有効期間が 1 分未満です。duration の単位は秒で、最大 28800 です"},
	CauseCallerOutside: {"caller-outside",
		"your own address is outside the ranges that may connect: add it if you want to connect from here",
		"あなたの接続元アドレスは許可された範囲の外です。ここから接続する場合は追加してください"},
	CauseNetworkUnreachable: {"network-unreachable",
		"the relay cannot reach the closed network, or not ask where the device is: look at the relay's own route, VPN, gateway, SOCKS server or directory of SIMs before the device; the log has the error",
		"リレーが閉域網に到達できないか、デバイスの所在を照会できません。デバイスの前に、リレー側の経路、VPN、ゲートウェイ、SOCKS サーバーまたは SIM ディレクトリを確認してください（エラーの内容はログにあります）"},
	CauseClientCertificate: {"client-certificate",
		"the client has no good certificate of its own: the mapping asks for one that is in date and of the CA that the relay has for clients",
		"有効なクライアント証明書がありません。このポートマッピングへの接続には、リレーに設定されたクライアント用 CA が発行した有効期限内の証明書が必要です"},
}

// String is the cause's short name, as in "ssh-on-tls".
func (c Cause) String() string { return causeTexts[c].name }

// Text is what happened and the cure. Lang is "ja" for Japanese; everything else is English.
func (c Cause) Text(lang string) string {
	if lang == "ja" {
		return causeTexts[c].ja
	}
	return causeTexts[c].en
}

// causeOfFirstBytes is the cause by what was spoken instead of TLS.
func causeOfFirstBytes(p recognize.Protocol) Cause {
	switch p {
	case recognize.SSH:
		return CauseSSHOnTLS
	case recognize.RDP:
		return CauseRDPOnTLS
	case recognize.HTTP:
		return CauseHTTPOnTLS
	case recognize.Modbus:
		return CauseModbusOnTLS
	default:
		return CauseNotTLS
	}
}
