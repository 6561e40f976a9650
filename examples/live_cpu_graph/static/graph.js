/*
 * The page's side of the graph. The server sends "history" once per connection and "sample" again
 * and again; the page keeps the samples and draws those of the last minutes.
 */
(() => {
  "use strict";

  const $ = (id) => document.getElementById(id);

  // ?transport=xhr-polling tries that one alone. The 0.9 client merges the option "transports"
  // into its list index by index, which selects nothing: the list itself has to change.
  const forced = new URLSearchParams(location.search).get("transport");
  if (io.transports.includes(forced)) {
    io.transports.splice(0, io.transports.length, forced);
  }

  const socket = io.connect("/cpu", {
    // The defaults give up after ten attempts, with the last ones minutes apart.
    "max reconnection attempts": Infinity,
    "reconnection limit": 4000,
  });

  // -- The samples --------------------------------------------------------------------------

  let samples = [];
  let interval = 1;
  let seconds = 120;

  function keep(sample) {
    // Nothing twice, when the history of a new connection overlaps with what is here.
    samples = samples.filter((old) => old.time < sample.time && old.time > sample.time - seconds);
    const last = samples.at(-1);
    if (last && sample.time - last.time > 2.5 * interval) {
      // Nobody measured, or we were away: a hole, which the chart shows as one.
      samples.push({ time: (last.time + sample.time) / 2, total: null, cores: [] });
    }
    samples.push(sample);
  }

  // -- What is seen -------------------------------------------------------------------------

  const percent = (value) => (value == null ? "–" : `${Math.round(value)} %`);
  const clock = (time) => new Date(time * 1000).toLocaleTimeString([], { hour12: false });
  // Looked up each time something is drawn, so that light and dark are right at once.
  const colour = (name) => () => getComputedStyle(document.documentElement).getPropertyValue(name);
  // Where the pointer is, or else the newest.
  const value = (show) => (chart, at, series) => show(at ?? chart.data[series].at(-1));

  const axis = {
    stroke: colour("--muted"),
    grid: { stroke: colour("--grid"), width: 1 },
    ticks: { show: false },
  };
  const line = { width: 2, points: { show: false }, value: value(percent) };

  const chart = new uPlot(
    {
      width: $("chart").clientWidth,
      height: $("chart").clientHeight,
      cursor: { y: false, drag: { x: false, y: false } },
      legend: { mount: (self, element) => $("legend").append(element) },
      scales: {
        x: { range: (self, first, last) => [last - seconds, last] },
        y: { range: [0, 100] },
      },
      axes: [
        { ...axis, size: 32, space: 80, values: (self, times) => times.map(clock) },
        { ...axis, size: 40 },
      ],
      series: [
        { label: "Time", value: value((time) => (time == null ? "–" : clock(time))) },
        { ...line, label: "All cores", stroke: colour("--accent"), fill: colour("--soft") },
        { ...line, label: "Busiest core", stroke: colour("--second"), width: 1 },
      ],
    },
    [[], [], []],
    $("chart"),
  );

  const columns = () => [
    samples.map((sample) => sample.time),
    samples.map((sample) => sample.total),
    samples.map((sample) => (sample.cores.length ? Math.max(...sample.cores) : null)),
  ];

  function showCore(used, index) {
    const item = $("cores").children[index] ?? $("core").content.cloneNode(true).firstElementChild;
    item.querySelector(".name").textContent = `Core ${index + 1}`;
    item.querySelector(".used").textContent = percent(used);
    item.querySelector("meter").value = used;
    return item;
  }

  let paused = false;

  function draw() {
    if (paused || samples.length === 0) {
      return;
    }
    const { cores, load } = samples.at(-1);
    chart.setData(columns());
    $("cores").replaceChildren(...cores.map(showCore));
    $("load").textContent = load.map((value) => value.toFixed(2)).join(", ");
  }

  // -- What happens -------------------------------------------------------------------------

  socket.on("history", (history) => {
    ({ interval, seconds } = history);
    history.samples.forEach(keep);
    draw();
  });

  socket.on("sample", (sample) => {
    keep(sample);
    draw();
  });

  function showStatus(state, text) {
    $("status").dataset.state = state;
    $("status").textContent = text;
  }

  socket.on("connect", () => showStatus("connected", `connected · ${socket.socket.transport.name}`));
  socket.on("disconnect", () => showStatus("connecting", "reconnecting…"));
  socket.on("reconnecting", () => showStatus("connecting", "reconnecting…"));
  socket.on("connect_failed", () => showStatus("disconnected", "no way to connect"));
  socket.on("error", () => {
    // The client does not repeat its first attempt by itself.
    if (!socket.socket.connected && !socket.socket.reconnecting) {
      showStatus("disconnected", "the server does not answer");
    }
  });

  // Only the picture stands still: the samples go on coming, so that there is no hole afterwards.
  $("pause").addEventListener("click", () => {
    paused = !paused;
    $("pause").textContent = paused ? "Resume" : "Pause";
    draw();
  });

  const observer = new ResizeObserver(() => {
    chart.setSize({ width: $("chart").clientWidth, height: $("chart").clientHeight });
  });
  observer.observe($("chart"));

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => chart.redraw());
})();
