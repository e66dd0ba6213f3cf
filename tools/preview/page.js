'use strict';

const data = JSON.parse(document.getElementById('data').textContent);
const END = Date.UTC(2026, 10, 23, 6, 0);
const GREEN = '#2a9d55', YELLOW = '#e5a21c', RED = '#d33043', GRAY = '#8a94a3', PURPLE = '#7b5ea7', BLUE = '#3b7dd8';
const FILLS = {white_on_green: GREEN, white_on_yellow: YELLOW, white_on_red: RED, white_on_gray: GRAY};
const STATUSES = [['OK', GREEN], ['CRITICAL', RED], ['WARNING', YELLOW], ['UNKNOWN', GRAY]];
const PALETTES = {
  green: [GREEN], blue: [BLUE], red: [RED], orange: [YELLOW], purple: [PURPLE],
  cool: ['#7b5ea7', '#3b7dd8', '#2fb3c4', '#5cc28a', '#96a3b5'],
  dog_classic: ['#3b7dd8', '#2fb3c4', '#7b5ea7', '#5cc28a'],
};
const HEADERS = {
  vivid_green: '#2a9d55', vivid_blue: '#3b7dd8', vivid_orange: '#e0702f', vivid_purple: '#7b5ea7',
  vivid_yellow: '#c98a0b', white: '#ffffff',
};
const NOTES = {yellow: '#fdf6e0', purple: '#f1ecf8', transparent: '#ffffff'};

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function place(node, layout) {
  node.style.gridColumn = `${layout.x + 1} / span ${layout.width}`;
  node.style.gridRow = `${layout.y + 1} / span ${layout.height}`;
}

function shown(value) {
  return Number.isInteger(value) ? value.toLocaleString('en') : value.toFixed(1);
}

const draw = {
  query_value(widget, body, frame) {
    const value = element('div', 'value', widget.value);
    if (widget.unit) value.append(element('small', '', widget.unit));
    body.append(value);
    if (FILLS[widget.palette]) {
      frame.classList.add('filled');
      frame.style.background = FILLS[widget.palette];
    }
    body.append(bars(widget.points, FILLS[widget.palette] ? '#fff' : BLUE));
  },

  manage_status(widget, body) {
    const names = Object.keys(widget.monitors), alerts = names.filter((name) => widget.monitors[name] === 'ALERT');
    const counts = element('div', 'counts'), list = element('div', 'monitors');
    for (const [text, color, count] of [['ALERT', RED, alerts.length], ['OK', GREEN, names.length - alerts.length]]) {
      const tile = element('div', 'count');
      tile.style.color = color;
      tile.append(element('b', '', shown(count)), element('span', '', text));
      counts.append(tile);
    }
    for (const name of [...alerts, ...names.filter((each) => !alerts.includes(each))]) {
      const line = element('div', 'monitor'), pill = element('span', 'pill', widget.monitors[name]);
      pill.style.background = widget.monitors[name] === 'ALERT' ? RED : GREEN;
      line.append(pill, element('span', 'name', name));
      list.append(line);
    }
    body.append(counts, list);
  },

  note(widget, body, frame) {
    frame.classList.add('note');
    frame.style.background = NOTES[widget.color] || '#fff';
    body.innerHTML = widget.html;
  },

  check_status(widget, body) {
    const tiles = element('div', 'statuses');
    for (const [name, color] of STATUSES) {
      const count = widget.counts[name] || 0;
      const tile = element('div', count ? 'status' : 'status none');
      tile.style.background = color;
      tile.append(element('b', '', shown(count)), element('span', '', name));
      tiles.append(tile);
    }
    body.append(tiles);
  },

  toplist(widget, body) {
    const list = element('div', 'list');
    const isShare = widget.aliases[0].startsWith('%');
    const most = Math.max(...widget.rows.map((row) => row.values[0].value), isShare ? 100 : 0) || 1;
    for (const row of widget.rows.slice(0, Math.floor((body.clientHeight - 8) / 24))) {
      const bar = element('div', 'bar'), track = element('div', 'track'), fill = element('div', 'fill');
      fill.style.width = `${100 * row.values[0].value / most}%`;
      fill.style.background = FILLS[row.values[0].palette] || GRAY;
      track.append(fill, element('div', 'name', row.label));
      bar.append(element('div', 'number', shown(row.values[0].value) + (isShare ? ' %' : '')), track);
      list.append(bar);
    }
    body.append(list);
  },

  query_table(widget, body) {
    const box = element('div', 'table'), table = element('table'), head = element('tr');
    for (const key of widget.keys) head.append(element('th', '', key));
    for (const alias of widget.aliases) head.append(element('th', 'number', alias));
    table.append(head);
    const room = Math.max(Math.floor((body.clientHeight - 30) / 24.4) - 1, 1);
    const rows = widget.rows.length > room ? widget.rows.slice(0, room) : widget.rows;
    for (const row of rows) {
      const line = element('tr');
      for (const text of row.cells) line.append(element('td', '', text));
      for (const {value, palette} of row.values) {
        const cell = element('td', 'number');
        if (value !== null) {
          const pill = element('span', 'pill', shown(value));
          pill.style.background = FILLS[palette] || GRAY;
          cell.append(pill);
        }
        line.append(cell);
      }
      table.append(line);
    }
    box.append(table);
    const rest = widget.rows.length - rows.length;
    if (rest) box.append(element('div', 'more', `and ${rest} more rows`));
    body.append(box);
  },

  hostmap(widget, body) {
    const map = element('div', 'map'), most = Number(widget.style.fill_max);
    for (const cluster of widget.clusters) {
      const figure = element('figure');
      figure.style.flex = cluster.nodes.length + 20;
      figure.append(element('figcaption', '', `${cluster.name} (${cluster.nodes.length})`));
      map.append(figure);
    }
    body.append(map);
    [...map.children].forEach((figure, at) => {
      const nodes = widget.clusters[at].nodes;
      figure.append(honeycomb(nodes, figure.clientWidth, body.clientHeight - 38, most));
    });
  },

  timeseries(widget, body) {
    const box = element('div', 'chart');
    body.append(box);
    const chart = echarts.init(box, null, {renderer: 'canvas'});
    const used = {};
    const series = widget.lines.map((line) => {
      const colors = PALETTES[line.palette];
      const color = colors[(used[line.palette] = (used[line.palette] ?? -1) + 1) % colors.length];
      const bars = line.display === 'bars', area = line.display === 'area';
      return {
        name: line.name,
        type: bars ? 'bar' : 'line',
        stack: area ? 'all' : undefined,
        areaStyle: area ? {opacity: .55} : undefined,
        barCategoryGap: 0,
        step: area ? 'end' : undefined,
        showSymbol: false,
        lineStyle: {width: area ? 1 : 2},
        itemStyle: {color},
        data: line.points.map((value, at) => [END - (line.points.length - 1 - at) * data.step * 1000, area ? value ?? 0 : value]),
      };
    });
    for (const marker of widget.markers) {
      series[0].markLine = {
        symbol: 'none', silent: true, lineStyle: {color: RED, type: 'dashed', width: 1},
        label: {formatter: marker.label, position: 'insideStartBottom', color: RED, fontSize: 11},
        data: [{yAxis: Number(marker.value.split('=')[1])}],
      };
    }
    chart.setOption({
      animation: false,
      textStyle: {fontFamily: getComputedStyle(document.body).fontFamily},
      grid: {left: 8, right: 14, top: 12, bottom: 26, containLabel: true},
      legend: {bottom: 2, left: 8, itemWidth: 14, itemHeight: 8, itemGap: 14, icon: 'roundRect',
               textStyle: {fontSize: 11, color: '#66707d'}},
      tooltip: {trigger: 'axis'},
      xAxis: {type: 'time', splitNumber: 7, axisLine: {lineStyle: {color: '#c9ced8'}}, axisTick: {show: false},
              axisLabel: {formatter: '{MMM} {d}', fontSize: 11, color: '#66707d', hideOverlap: true}},
      yAxis: {type: 'value', min: widget.axis.min && Number(widget.axis.min), max: widget.axis.max && Number(widget.axis.max),
              minInterval: 1, splitNumber: body.clientHeight > 150 ? 5 : 3,
              splitLine: {lineStyle: {color: '#eceef3'}}, axisLabel: {fontSize: 11, color: '#66707d'}},
      series,
    });
  },
};

/* Bars of the series, as the background of a number. */
function bars(points, color) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const every = Math.ceil(points.length / 84), shownPoints = points.filter((_, at) => at % every === 0);
  const most = Math.max(...shownPoints) || 1;
  svg.setAttribute('class', 'bars');
  svg.setAttribute('viewBox', `0 0 ${shownPoints.length} 100`);
  svg.setAttribute('preserveAspectRatio', 'none');
  shownPoints.forEach((value, at) => {
    const bar = document.createElementNS('http://www.w3.org/2000/svg', 'rect'), height = 100 * (value || 0) / most;
    for (const [name, setting] of Object.entries({x: at + .1, y: 100 - height, width: .8, height, fill: color})) bar.setAttribute(name, setting);
    svg.append(bar);
  });
  return svg;
}

/* The hexagons of a cluster, as large as fits. */
function honeycomb(nodes, width, height, most) {
  let radius = 40;
  const columns = () => Math.floor((width - radius) / (radius * Math.sqrt(3)));
  while (radius > 3 && (columns() < 1 || Math.ceil(nodes.length / columns()) * radius * 1.5 + radius / 2 > height)) radius -= .25;
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
  svg.setAttribute('preserveAspectRatio', 'xMinYMin');
  nodes.forEach((node, at) => {
    const row = Math.floor(at / columns()), column = at % columns();
    const x = radius + (column + (row % 2) / 2) * radius * Math.sqrt(3), y = radius + row * radius * 1.5;
    const corners = [0, 1, 2, 3, 4, 5].map((corner) => {
      const angle = Math.PI / 6 + corner * Math.PI / 3;
      return `${(x + (radius - 1) * Math.cos(angle)).toFixed(1)},${(y + (radius - 1) * Math.sin(angle)).toFixed(1)}`;
    });
    const hexagon = document.createElementNS('http://www.w3.org/2000/svg', 'polygon');
    hexagon.setAttribute('points', corners.join(' '));
    hexagon.setAttribute('fill', node.value === null ? '#c9ced8' : shade(node.value / most));
    const tip = document.createElementNS('http://www.w3.org/2000/svg', 'title');
    tip.textContent = `${node.name}: ${node.value === null ? 'no kubelet' : node.value}`;
    hexagon.append(tip);
    svg.append(hexagon);
  });
  return svg;
}

/* From green to orange, as the palette of the dashboard. */
function shade(part) {
  if (part <= 0) return '#41b06e';
  const from = [236, 200, 75], to = [226, 92, 45], at = Math.min(part, 1);
  return `rgb(${from.map((one, index) => Math.round(one + (to[index] - one) * at)).join(',')})`;
}

function frameOf(widget) {
  const frame = element('section', 'widget');
  frame.title = widget.tip;
  if (widget.title) frame.append(element('h3', '', widget.title));
  frame.append(element('div', 'body'));
  return frame;
}

const header = document.getElementById('header');
header.append(element('h1', '', data.title));
for (const name of data.variables) {
  const variable = element('span', 'variable', `$${name} `);
  variable.append(element('b', '', '*'));
  header.append(variable);
}
header.append(element('span', 'time', `Past ${data.days} days. Sample data: ${data.nodes} simulated nodes, evaluated by the check`));

/* ?groups=0,2 shows these groups only. ?height=1080 stretches their rows to this height of the page. */
const wanted = new URLSearchParams(location.search), chosen = wanted.get('groups');
const groups = data.groups.filter((_, at) => !chosen || chosen.split(',').includes(String(at)));
for (const group of groups) {
  const card = element('article', 'group'), title = element('h2', '', group.title), inner = element('div', 'inner');
  card.style.gridColumn = `${group.layout.x + 1} / span ${group.layout.width}`;
  if (group.color) title.style.background = HEADERS[group.color] || GRAY;
  else title.className = 'banner';
  if (group.color === 'white') title.style.color = 'inherit';
  inner.style.gridTemplateColumns = `repeat(${group.layout.width}, minmax(0, 1fr))`;
  inner.style.gridTemplateRows = `repeat(${Math.max(...group.widgets.map(({layout}) => layout.y + layout.height))}, minmax(var(--row), 1fr))`;
  card.append(title, inner);
  document.getElementById('groups').append(card);
}
if (wanted.get('height')) {
  const bands = new Set(groups.map((group) => group.layout.y)).size;
  document.body.style.height = `${wanted.get('height')}px`;
  document.body.classList.add('stretched');
  document.getElementById('groups').style.gridTemplateRows = `repeat(${bands}, minmax(0, 1fr))`;
}
/* A widget needs its size before it draws itself. */
for (const [at, group] of groups.entries()) {
  const inner = document.querySelectorAll('.inner')[at];
  for (const widget of group.widgets) {
    const frame = frameOf(widget);
    place(frame, widget.layout);
    inner.append(frame);
    draw[widget.type](widget, frame.querySelector('.body'), frame);
  }
}
