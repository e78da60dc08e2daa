// Sankoré's one script. Pages work without it; with it they change as the data does.
// Markup says what it shows:
//   data-row="TABLE:ID"           an element that shows a row
//   data-field="name"             its text (data-map='{"active":"Actif"}' translates it)
//     data-format="number"        … as people read it: number, percent, duration (of seconds), moment, time
//   data-attr="href:route …"      its attributes (href:/x/{id} puts fields into a text, width:a+b/c is percent of c)
//   data-icon="icon"              on a <use>: the part of its href after #
//   data-list="TABLE"             holds rows; its <template> is cloned for new ones
//     data-where="categoryId=ID"  … only those (an array field: those that contain it)
//     data-sort="priority name"   … in this order; each row has its data-order (the values, joined by |)
//   data-groups="categoryId"      holds a section per value, made from its own <template> when a row of its list needs one
//   data-part="TABLE:ID"          shows, within a row, one of another table, under the name that its field begins with (category.name)
//   data-count="SELECTOR"         how many there are; data-empty="TABLE" is shown while there are none
//   data-reads="TABLE …"          a part that is read again, with the page, when one of these tables changes and it cannot be patched
//   <template id="gone">          takes the place of main when the page's own row (data-page) goes
(() => {
  'use strict';
  const page = document.body;
  const toasts = document.getElementById('toasts');
  const words = JSON.parse(toasts?.dataset.tables ?? '{}');
  const pathOf = (row, path) => path.split('.').reduce((value, key) => value?.[key], row);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  let position = Number(page.dataset.position);

  // ── Figures and times, as the server's Format class writes them ──
  const language = document.documentElement.lang;
  const english = language === 'en';
  const rounded = (value, digits) => value.toLocaleString(language, { maximumFractionDigits: digits });
  const local = { timeZone: 'Africa/Brazzaville', hourCycle: 'h23' };
  const part = (value, options) => new Date(value).toLocaleString(language, { ...local, ...options });
  const formats = {
    number: (value = 0) => rounded(Math.max(-1e18, Math.min(value, 1e18)), Math.abs(value) < 10 ? 1 : 0),
    percent: value => value == null ? '—' : rounded(value, 1) + (english ? '%' : '\u202f%'),
    duration: value => {
      if (value == null) return '—';
      const [hours, minutes, seconds] = [value / 3600 | 0, value % 3600 / 60 | 0, value % 60];
      return hours ? `${hours} h ${minutes} min` : minutes ? `${minutes} min ${seconds} s` : `${seconds} s`;
    },
    moment: value => {
      const day = [part(value, { day: 'numeric' }), part(value, { month: 'short' }), part(value, { year: 'numeric' })].join(' ');
      return day + (english ? ', ' : ' à ') + part(value, { hour: '2-digit', minute: '2-digit' });
    },
    time: value => part(value, { hour: '2-digit', minute: '2-digit', second: '2-digit' }),
  };
  const sum = (row, fields) => fields.split('+').reduce((sum, field) => sum + (row[field] ?? 0), 0);
  const share = (row, [some, whole]) => Math.round(1e4 * sum(row, some) / Math.max(1, sum(row, whole))) / 100;

  // Of names in two languages the page's.
  const said = change => {
    for (const row of english ? [change.row, change.row?.category] : []) if (row?.nameEn) row.name = row.nameEn;
    return change;
  };

  // ── Rows ──
  const filled = (text, row) => {
    const missing = [...text.matchAll(/{(\w+)}/g)].some(([, key]) => !(key in row));
    return missing ? undefined : text.replace(/{(\w+)}/g, (_, key) => row[key]);
  };
  const fill = (element, row) => {
    for (const node of [element, ...all('[data-field],[data-attr],[data-icon]', element)]) {
      if (node !== element && node.closest('[data-row]') !== element) continue;
      const { field, map, format, attr, icon } = node.dataset;
      if (field) {
        const value = pathOf(row, field);
        node.textContent = format ? formats[format](value) : (map && JSON.parse(map)[value]) ?? value ?? '';
      }
      for (const pair of attr?.split(' ') ?? []) {
        const [name, path] = pair.split(/:(.*)/);
        const value = path.includes('{') ? filled(path, row) : path.includes('/') ? share(row, path.split('/')) : pathOf(row, path);
        if (value !== undefined) node.setAttribute(name, value);
      }
      if (icon) node.setAttribute('href', node.getAttribute('href').split('#')[0] + '#' + pathOf(row, icon));
    }
  };
  const matches = (list, row) => {
    const [field, wanted] = (list.dataset.where ?? '').split('=');
    if (!field) return true;
    const value = row[field];
    return Array.isArray(value) ? value.includes(wanted) : String(value) === wanted;
  };
  const before = (a, b) => {
    const [x, y] = [a.split('|'), b.split('|')];
    for (const i of x.keys()) {
      const order = isNaN(x[i]) || isNaN(y[i]) ? x[i].localeCompare(y[i] ?? '') : x[i] - y[i];
      if (order) return order < 0;
    }
    return false;
  };
  const place = (list, element, row) => {
    if (list.dataset.sort) {
      const order = list.dataset.sort.split(' ').map(path => pathOf(row, path)).join('|');
      if (element.parentNode === list && element.dataset.order === order) return;
      element.dataset.order = order;
    }
    const next = [...list.children].find(other => other !== element && other.dataset?.order && before(element.dataset.order ?? '', other.dataset.order));
    list.insertBefore(element, next ?? null);
  };
  const leave = element => {
    const gone = 'page' in element.dataset && document.getElementById('gone');
    if (gone) return document.querySelector('main').replaceChildren(gone.content.cloneNode(true));
    element.removeAttribute('data-row');
    // What leaves takes nothing in any more.
    for (const list of all('[data-list]', element)) list.removeAttribute('data-list'), list.removeAttribute('data-where');
    element.classList.add('leaving');
    setTimeout(() => { element.remove(); tidy(); }, matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : 220);
  };
  const freshen = element => {
    element.classList.remove('fresh');
    void element.offsetWidth;
    element.classList.add('fresh');
    setTimeout(() => element.classList.remove('fresh'), 6000);
  };
  const clone = (template, key, row) => {
    const element = template.content.firstElementChild.cloneNode(true);
    element.dataset.row = key;
    fill(element, row);
    return element;
  };
  // categoryId says which section a row is in, and category how that looks.
  const group = (groups, table, row) => {
    const { content } = groups.querySelector(':scope > template');
    const [field, of] = [groups.dataset.groups, row[groups.dataset.groups.slice(0, -2)]];
    if (!of || content.querySelector('[data-list]').dataset.list !== table) return;
    if (groups.querySelector(`[data-where="${field}=${row[field]}"]`)) return;
    const section = content.firstElementChild.cloneNode(true);
    fill(section, { ...of, id: row[field] });
    place(groups, section, of);
  };
  const apply = ({ table, op, id, row }) => {
    const key = `${table}:${id}`;
    const shown = all(`[data-row="${key}"]`);
    // Something of the table changed and the feed does not say what, or a row that the part does not patch.
    const vague = !row && op !== 'DELETE';
    const patched = `[data-row="${key}"],[data-list="${table}"]`;
    if (all(`[data-reads~="${table}"]`).some(part => vague || !part.matches(patched) && !part.querySelector(patched))) rereadSoon();
    if (vague) return;
    if (op === 'DELETE') {
      shown.forEach(leave);
      return;
    }
    row.id = id;
    const resort = new Set();
    for (const shows of all(`[data-part="${key}"]`)) {
      const name = shows.dataset.field.split('.')[0];
      const within = { [name]: row };
      fill(shows, within);
      const line = shows.closest('[data-row]');
      const paths = line?.parentNode.dataset.sort?.split(' ') ?? [];
      if (!line?.dataset.order || !paths.some(path => path.startsWith(name + '.'))) continue;
      const order = line.dataset.order.split('|');
      line.dataset.order = paths.map((path, i) => path.startsWith(name + '.') ? pathOf(within, path) : order[i]).join('|');
      resort.add(line.parentNode);
    }
    for (const list of resort)
      list.append(...[...list.children].filter(line => line.dataset.order).sort((a, b) => before(a.dataset.order, b.dataset.order) ? -1 : before(b.dataset.order, a.dataset.order) ? 1 : 0));
    for (const element of shown) {
      const list = element.parentNode.closest('[data-list]');
      if (list?.dataset.list === table && !matches(list, row)) {
        leave(element);
        continue;
      }
      fill(element, row);
      const holder = element.parentNode;
      if (holder.dataset.sort) place(holder, element, row);
      freshen(element);
    }
    all('[data-groups]').forEach(groups => group(groups, table, row));
    for (const list of all(`[data-list="${table}"]`)) {
      const template = list.querySelector(':scope > template');
      if (!template || !matches(list, row) || list.querySelector(`[data-row="${key}"]`)) continue;
      const element = clone(template, key, row);
      place(list, element, row);
      freshen(element);
    }
  };
  // A section without rows is not shown; an empty list says so; figures are counted.
  const tidy = () => {
    for (const groups of all('[data-groups]'))
      for (const section of groups.children)
        if (section.dataset.row) section.hidden = !section.querySelector('[data-list] > [data-row]');
    for (const empty of all('[data-empty]')) empty.hidden = !!document.querySelector(`[data-list="${empty.dataset.empty}"] > [data-row], [data-list="${empty.dataset.empty}"] [data-row]`);
    all('form[data-chosen]').forEach(chosen);
    for (const figure of all('[data-count]')) figure.textContent = document.querySelectorAll(figure.dataset.count).length;
  };

  // ── Toasts ──
  const toast = (mark, title, text) => {
    const element = document.getElementById('toast').content.firstElementChild.cloneNode(true);
    element.querySelector('.e').textContent = mark;
    element.querySelector('b').textContent = title;
    element.querySelector('small').textContent = text;
    toasts.replaceChildren(...[...toasts.children].slice(-2), element);
    setTimeout(() => element.remove(), 6000);
  };
  const news = new Map();
  let telling = 0;
  const tell = ({ table, id, name }) => {
    if (!words[table]) return;
    if (!news.has(table)) news.set(table, new Map());
    news.get(table).set(id, name);
    clearTimeout(telling);
    telling = setTimeout(() => {
      // One save, one toast, of the table that is named first: a category that goes takes its modules with it.
      const first = Object.keys(words).find(table => news.has(table));
      const rows = news.get(first);
      const [mark, title, many] = words[first].split('|');
      const names = [...rows.values()].filter(Boolean);
      toast(mark, title, rows.size > 1 ? many.replace('{0}', rows.size) : names.length ? `« ${names[0]} »` : '');
      news.clear();
    }, 120);
  };

  // ── The stream ──
  const state = document.querySelector('.live');
  const show = now => {
    if (!state) return;
    state.dataset.state = now;
    state.querySelector('span').textContent = state.dataset[now];
  };
  const waiting = [];
  let refetching = false;
  const work = () => {
    // While the page is being read again changes wait: the new page may have been rendered before them.
    if (refetching || !waiting.length) return;
    const now = waiting.splice(0).map(event => event.change);
    for (const change of now) change.name = change.row?.name ?? document.querySelector(`[data-row="${change.table}:${change.id}"] [data-field=name]`)?.textContent;
    for (const change of now) {
      try {
        apply(change);
      } catch {
        // What cannot be patched is read again.
        setTimeout(refetch);
      }
    }
    tidy();
    now.forEach(tell);
  };
  const dirty = () => all('form[data-dirty]').length > 0 || !!document.querySelector('dialog[open]');
  const stale = () => { document.querySelector('.stale').hidden = false; };
  let rereading = 0;
  const rereadSoon = () => {
    // What goes on changing is read again now and then, not once it has stopped.
    rereading ||= setTimeout(() => { rereading = 0; refetch(); }, 150 + Math.random() * 350);
  };
  const menu = () => all('.side [data-row]').map(row => row.dataset.row).sort().join();
  const read = address => fetch(address, { headers: { accept: 'text/html' }, cache: 'no-store' });
  // Reads the page again and puts it in place of the old one: for what a patch cannot do.
  const refetch = async () => {
    if (dirty()) return stale();
    refetching = true;
    try {
      const gone = document.getElementById('gone');
      let answer = await read(location.href);
      // A page that is not this person's any more says so, with the menu that is.
      const lost = gone && (answer.status === 403 || answer.status === 404);
      if (lost) answer = await read('/');
      if (answer.redirected && !lost || !answer.ok) return location.reload();
      const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
      if (dirty()) return stale();
      const [focused, before] = [document.activeElement?.id, menu()];
      if (lost) document.querySelector('main').replaceChildren(gone.content.cloneNode(true));
      for (const selector of ['.side', '.top .where', ...lost ? [] : ['main'], '.bottom']) {
        const [old, next] = [document.querySelector(selector), fresh.querySelector(selector)];
        if (old && next && !(selector !== 'main' && old.querySelector('details[open]'))) old.replaceWith(document.importNode(next, true));
      }
      if (menu() !== before) toast(...toasts.dataset.rights.split('|'), '');
      if (focused) document.getElementById(focused)?.focus();
      const rendered = Number(fresh.body.dataset.position);
      position = Math.max(position, rendered);
      waiting.splice(0, waiting.length, ...waiting.filter(event => event.id > rendered));
      document.title = fresh.title;
    } catch {
      setTimeout(refetch, 2000 + Math.random() * 3000);
    } finally {
      refetching = false;
      work();
      tidy();
    }
  };
  let source;
  let pause = 1000;
  const open = () => {
    source = new EventSource('/live?since=' + position);
    source.onopen = () => { pause = 1000; show('on'); };
    source.addEventListener('change', event => {
      const id = Number(event.lastEventId);
      if (id <= position) return;
      position = id;
      waiting.push({ id, change: said(JSON.parse(event.data)) });
      // A window that is not painted has no frames: the timer does it there.
      if (waiting.length === 1) requestAnimationFrame(work), setTimeout(work, 200);
    });
    source.addEventListener('reset', event => {
      // It may go back: the database was restored.
      position = Number(event.lastEventId);
      setTimeout(refetch, Math.random() * JSON.parse(event.data).spread);
    });
    source.onerror = async () => {
      show('wait');
      if (source.readyState !== EventSource.CLOSED) return;
      const answer = await fetch('/api/me', { cache: 'no-store' }).catch(() => null);
      if (answer?.status === 401) return location.reload();
      setTimeout(open, pause * (0.5 + Math.random()));
      pause = Math.min(pause * 2, 15000);
    };
  };
  if (page.dataset.position) {
    open();
    addEventListener('pageshow', event => event.persisted && (open(), refetch()));
    addEventListener('pagehide', () => source.close());
    addEventListener('online', () => source.readyState === EventSource.CLOSED && open());
  }

  // ── Rows that are chosen: the form's boxes outside of it, how many, and all of them ──
  const chosen = bar => {
    const boxes = all(`[form="${bar.id}"][type=checkbox]`);
    const [every, found] = [bar.querySelector('[data-all]'), bar.querySelector('[data-found]')];
    const count = boxes.filter(box => box.checked).length;
    every.closest('label').hidden = false;
    every.checked = count === boxes.length;
    every.indeterminate = count > 0 && !every.checked;
    if (found) {
      found.checked &&= every.checked;
      found.closest('label').hidden = !every.checked;
    }
    bar.querySelector('output').textContent = count ? bar.dataset.chosen.replace('{0}', found?.checked ? found.dataset.found : count) : '';
    for (const button of all('[data-least]', bar)) button.hidden = count < button.dataset.least;
  };
  const modal = dialog => { dialog.dataset.modal = ''; dialog.showModal(); };
  addEventListener('change', ({ target }) => {
    if (target.matches('[data-all]')) all(`[form="${target.form.id}"][type=checkbox]`).forEach(box => { box.checked = target.checked; });
    if (target.form?.dataset.chosen) chosen(target.form);
  });
  for (const dialog of all('dialog[open]')) dialog.close(), modal(dialog);
  all('form[data-chosen]').forEach(chosen);

  // ── Forms and dialogs ──
  addEventListener('input', event => event.target.form?.method === 'post' && (event.target.form.dataset.dirty = ''));
  addEventListener('submit', event => {
    // What is shown in a frame is looked at, not sent.
    if (event.defaultPrevented || event.submitter?.formTarget) return;
    // A double click is one submission.
    if ('sent' in event.target.dataset) return event.preventDefault();
    if (event.target.method !== 'post') return;
    event.target.dataset.sent = '';
    // Unless it was stopped on the way.
    setTimeout(() => delete event.target.dataset.sent, 8000);
  });
  // What was written and not sent is asked about before it is left.
  addEventListener('beforeunload', event => {
    if (!page.dataset.position || !all('form[data-dirty]:not([data-sent]):not([data-chosen])').length) return;
    event.preventDefault();
    event.returnValue = '';
  });
  // « / » and Ctrl K look for something.
  addEventListener('keydown', event => {
    const { target, key } = event;
    if (event.defaultPrevented || !page.dataset.position) return;
    if (!(key === '/' && !target.closest?.('input, select, textarea, [contenteditable]') || key === 'k' && (event.ctrlKey || event.metaKey))) return;
    event.preventDefault();
    const field = document.getElementById('q') ?? document.getElementById('find');
    if (field?.offsetParent) field.focus();
    else location = '/search';
  });
  addEventListener('pageshow', () => all('form[data-sent]').forEach(form => delete form.dataset.sent));
  addEventListener('click', event => {
    const opener = event.target.closest('[data-dialog]');
    const closer = event.target.closest('[data-close]');
    if (opener) {
      event.preventDefault();
      modal(document.getElementById(opener.dataset.dialog));
    } else if (closer && 'modal' in closer.closest('dialog').dataset) {
      event.preventDefault();
      closer.closest('dialog').close();
    } else if (event.target.closest('[data-reload]')) {
      location.reload();
    }
  });
})();
