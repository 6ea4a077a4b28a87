"use strict";
// Live values by server-sent events; the browser connects again by itself when the link was lost.
const $ = (id) => document.getElementById(id);
const figures = { level: 1, setpoint: 1, temperature: 1, inflow: 2, outflow: 2, valve: 0 };

function show(values) {
  for (const [name, digits] of Object.entries(figures)) $(name).textContent = values[name].toFixed(digits);
  $("bar").value = values.level;
  $("pump").textContent = values.pump ? "on" : "off";
  $("pump").dataset.on = values.pump;
  $("automatic").textContent = values.automatic ? "by the controller" : "by hand";
}

function say(state, text) {
  $("link").dataset.state = state;
  $("link").textContent = text;
}

const events = new EventSource("api/events");
events.onopen = () => say("live", "live");
events.onerror = () => say("lost", "no connection to the device; trying again");
events.onmessage = (event) => show(JSON.parse(event.data));
