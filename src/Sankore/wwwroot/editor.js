// The editor of a message: it takes the place of the form of blocks, writes down the design for it (Form.Design), shows what a recipient gets
// and saves what was written. Without it the form of blocks does the same by hand.
(() => {
  'use strict';
  const root = document.querySelector('[data-design]');
  if (!root || !window.ProseMirror) return;
  const P = ProseMirror;
  const { schema, kinds, toDoc, toBlocks } = Design;
  const { nodes, marks } = schema;
  const form = root.closest('form');
  const words = JSON.parse(root.dataset.words);
  const design = JSON.parse(root.dataset.design);
  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes))
      if (name === 'onclick') element.addEventListener('click', value);
      else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : value);
    element.append(...children);
    return element;
  };
  const icon = name => {
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    svg.setAttribute('class', 'icon');
    svg.setAttribute('aria-hidden', 'true');
    const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
    use.setAttribute('href', root.dataset.icons + '#' + name);
    svg.append(use);
    return svg;
  };

  // ── The form's fields: the blocks leave, colour and preview stay ──
  root.querySelectorAll(':scope > .block, :scope > .row').forEach(block => block.remove());
  const hidden = make('input', { type: 'hidden', name: 'Form.Design' });
  form.append(hidden);
  const [color, preview] = ['D.color', 'D.preview'].map(name => form.elements[name]);
  const read = () => ({ color: color.value, preview: preview.value.trim() || null, blocks: toBlocks(view.state.doc) });

  // ── Blocks that are not text, as they look ──
  const shown = {
    image: ({ src, alt, width }) => src ? make('img', { src, alt: alt ?? '', class: width === 'half' ? 'half' : null }) : make('span', { class: 'muted' }, words.image),
    button: ({ text }) => make('span', { class: 'cta' }, text || words.button),
    separator: () => make('hr'),
    footer: ({ text }) => make('span', {}, root.dataset.place, ...text ? [make('br'), text] : []),
    event: ({ title, on, from, to, place, text }) => make('span', {}, make('b', {}, title || words.event), ...[
      [on && new Date(on + 'T12:00').toLocaleDateString(document.documentElement.lang, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }),
        [from, to].filter(Boolean).join('–')].filter(Boolean).join(', '), place, text].filter(Boolean).flatMap(part => [make('br'), part])),
  };
  const nodeView = node => {
    const dom = make('div', { class: 'atom ' + node.type.name, contenteditable: 'false' });
    const draw = next => { dom.replaceChildren(shown[next.type.name](next.attrs)); };
    draw(node);
    return { dom, update: next => next.type === node.type && (draw(next), true), ignoreMutation: () => true, stopEvent: () => false };
  };
  const chip = node => {
    const dom = make('span', { class: 'field', contenteditable: 'false' }, words.fields[node.attrs.name] ?? node.attrs.name);
    if (node.attrs.fallback) dom.append(make('small', {}, ' · ' + node.attrs.fallback));
    return { dom };
  };
  // What is left over of a starting message.
  const leftovers = doc => {
    const found = [];
    doc.descendants((node, at) => {
      for (const match of node.isText ? node.text.matchAll(/\[\[[^[\]]{1,200}\]\]/g) : [])
        found.push(P.Decoration.inline(at + match.index, at + match.index + match[0].length, { class: 'left' }));
    });
    return P.DecorationSet.create(doc, found);
  };

  // ── What can be done with the block one is in ──
  const at = state => {
    const { selection } = state;
    const start = selection instanceof P.NodeSelection && !selection.$from.depth ? selection.from : selection.$from.depth ? selection.$from.before(1) : 0;
    return { start, node: state.doc.nodeAt(start), index: state.doc.resolve(start).index() };
  };
  const near = (tr, place) => tr.setSelection(tr.doc.nodeAt(place)?.isAtom ? P.NodeSelection.create(tr.doc, place) : P.Selection.near(tr.doc.resolve(place + 1)));
  const acts = {
    up: (state, dispatch) => {
      const { start, node, index } = at(state);
      if (!index) return false;
      const before = state.doc.child(index - 1).nodeSize;
      dispatch?.(near(state.tr.delete(start, start + node.nodeSize).insert(start - before, node), start - before).scrollIntoView());
      return true;
    },
    down: (state, dispatch) => {
      const { start, node, index } = at(state);
      if (index + 1 >= state.doc.childCount) return false;
      const after = start + state.doc.child(index + 1).nodeSize;
      dispatch?.(near(state.tr.delete(start, start + node.nodeSize).insert(after, node), after).scrollIntoView());
      return true;
    },
    copy: (state, dispatch) => {
      const { start, node } = at(state);
      dispatch?.(near(state.tr.insert(start + node.nodeSize, node), start + node.nodeSize).scrollIntoView());
      return true;
    },
    remove: (state, dispatch) => {
      const { start, node } = at(state);
      const tr = state.doc.childCount > 1 ? state.tr.delete(start, start + node.nodeSize) : state.tr.replaceWith(0, state.doc.content.size, nodes.paragraph.create());
      dispatch?.(tr.setSelection(P.Selection.near(tr.doc.resolve(Math.min(start, tr.doc.content.size)))).scrollIntoView());
      return true;
    },
  };
  // Behind the block one is in: within a column for what may stand there, behind the whole of it for everything else.
  const behind = ($at, isPart) => isPart && $at.depth > 1 && $at.node(2).type === nodes.column ? $at.depth > 2 ? $at.after(3) : $at.pos : $at.depth ? $at.after(1) : $at.pos;
  const add = kind => (state, dispatch) => {
    if (kind === 'image') {
      if (dispatch) pictures.choose(true);
      return true;
    }
    const column = () => nodes.column.create(null, nodes.paragraph.create());
    const made = kind === 'columns' ? nodes.columns.create(null, [column(), column()]) : nodes[kind].create();
    const place = behind(state.selection.$to, nodes[kind].spec.group.includes('part'));
    dispatch?.(near(state.tr.insert(place, made), place).scrollIntoView());
    return true;
  };
  const insertField = name => (state, dispatch) => {
    if (!name) return false;
    dispatch?.(state.tr.replaceSelectionWith(nodes.field.create({ name }), false).scrollIntoView());
    return true;
  };
  const toggleTitle = (state, dispatch) => P.setBlockType(state.selection.$from.parent.type === nodes.title ? nodes.paragraph : nodes.title)(state, dispatch);
  const toggleList = type => (state, dispatch) => P.liftListItem(nodes.list_item)(state, dispatch) || P.wrapInList(type)(state, dispatch);
  const linkAt = state => state.selection.$from.marks().find(mark => mark.type === marks.link) ?? null;

  // ── The toolbar ──
  const bar = make('div', { class: 'bar', role: 'toolbar', 'aria-label': words.toolbar });
  const buttons = [];
  const signs = ['T', 'B', 'I'];
  const button = (name, label, command, isOn) => {
    const element = make('button', { type: 'button', class: 'btn quiet', title: label, 'aria-label': label, onclick: () => { run(command); } }, ...signs.includes(name) ? [make('b', { 'aria-hidden': 'true' }, name)] : [icon(name)]);
    buttons.push({ element, command, isOn });
    bar.append(element);
  };
  const run = command => { view.focus(); command(view.state, view.dispatch, view); };
  const has = mark => state => state.selection.empty ? !!mark.isInSet(state.storedMarks ?? state.selection.$from.marks()) : state.doc.rangeHasMark(state.selection.from, state.selection.to, mark);
  button('T', words.title, toggleTitle, state => state.selection.$from.parent.type === nodes.title);
  button('B', words.bold, P.toggleMark(marks.strong), has(marks.strong));
  button('I', words.italic, P.toggleMark(marks.em), has(marks.em));
  button('link', words.link, state => { openLink(state); return true; }, has(marks.link));
  button('list', words.list, toggleList(nodes.bullet_list));
  button('numbers', words.numbers, toggleList(nodes.ordered_list));
  const menu = (label, options, choose) => {
    const select = make('select', { class: 'input', 'aria-label': label }, make('option', { value: '' }, label), ...options.map(([value, text]) => make('option', { value }, text)));
    select.addEventListener('change', () => { const { value } = select; select.value = ''; run(choose(value)); });
    bar.append(select);
  };
  menu(words.add, ['title', ...Object.keys(kinds), 'columns'].map(kind => [kind, words[kind]]), add);
  menu(words.field, Object.entries(words.fields), insertField);
  button('undo', words.undo, P.undo);
  button('redo', words.redo, P.redo);
  button('up', words.up, acts.up);
  button('down', words.down, acts.down);
  button('copy', words.copy, acts.copy);
  button('trash', words.remove, acts.remove);

  // ── The panel: what is chosen, in fields ──
  const panel = make('div', { class: 'panel form', hidden: true });
  let panelOf = null;
  const input = (name, value, change, type = 'text') => {
    const id = 'panel-' + name;
    const element = name === 'width'
      ? make('select', { class: 'input', id }, ...['full', 'half'].map(width => make('option', { value: width, selected: width === (value ?? 'full') }, words[width])))
      : make('input', { class: 'input', id, type, value: value ?? '', maxlength: name === 'href' || name === 'src' ? 2000 : 200 });
    element.addEventListener('input', () => change(element.value));
    return make('div', { class: 'field' }, make('label', { for: id }, words.attrs[name] ?? name), element);
  };
  const change = (place, name) => value => {
    const node = view.state.doc.nodeAt(place);
    const tr = view.state.tr.setNodeMarkup(place, null, { ...node.attrs, [name]: value || null });
    view.dispatch(tr.setSelection(P.NodeSelection.create(tr.doc, place)));
  };
  const showPanel = state => {
    const { selection } = state;
    const node = selection instanceof P.NodeSelection ? selection.node : null;
    const names = node && (node.type === nodes.field ? ['fallback'] : kinds[node.type.name]);
    const key = names?.length ? node.type.name + selection.from : null;
    if (key === panelOf || panelOf === 'link' && !key && linkAt(state)) return;
    panelOf = key;
    panel.hidden = !key;
    panel.replaceChildren(...(node?.type === nodes.image ? [make('button', { type: 'button', class: 'btn wide', onclick: () => pictures.choose() }, icon('image'), words.choose)] : []),
      // The address of a picture of the library says nothing to anybody.
      ...(key ? names : []).filter(name => name !== 'src' || !node.attrs.src?.startsWith('/i/')).map(name => input(name, node.attrs[name], change(selection.from, name), { on: 'date', from: 'time', to: 'time' }[name])));
  };
  const openLink = state => {
    const here = linkAt(state);
    if (!here && state.selection.empty) return;
    panelOf = 'link';
    panel.hidden = false;
    const { from, to } = state.selection;
    const field = input('href', here?.attrs.href, () => {});
    const control = field.querySelector('input');
    const apply = href => {
      let [start, end] = [from, to];
      if (here && from === to) {
        // The whole of the link one is in.
        view.state.selection.$from.parent.forEach((child, offset) => {
          const begin = view.state.selection.$from.start() + offset;
          if (begin <= from && from <= begin + child.nodeSize && here.isInSet(child.marks)) [start, end] = [begin, begin + child.nodeSize];
        });
      }
      const tr = view.state.tr.removeMark(start, end, marks.link);
      view.dispatch(href ? tr.addMark(start, end, marks.link.create({ href })) : tr);
      panelOf = null;
      panel.hidden = true;
      view.focus();
    };
    const typed = () => { const href = control.value.trim(); return /^[\w.+-]+@[\w.-]+$/.test(href) ? 'mailto:' + href : href && !/^[a-z]+:/i.test(href) ? 'https://' + href : href; };
    control.addEventListener('keydown', event => { if (event.key === 'Enter') { event.preventDefault(); apply(typed()); } });
    panel.replaceChildren(field, make('div', { class: 'foot' }, make('button', { type: 'button', class: 'btn', onclick: () => apply(typed()) }, words.apply),
      make('button', { type: 'button', class: 'btn quiet', onclick: () => apply('') }, words.unlink)));
    control.focus();
  };

  const pick = spot => {
    const { doc, selection, tr } = view.state;
    if (!spot || !selection.empty && !(selection instanceof P.NodeSelection)) return;
    const left = leftovers(doc).find(spot.pos, spot.pos)[0];
    if (spot.inside >= 0 && doc.nodeAt(spot.inside)?.isAtom) view.dispatch(tr.setSelection(P.NodeSelection.create(doc, spot.inside)));
    else if (left && selection.empty) view.dispatch(tr.setSelection(P.TextSelection.create(doc, left.from, left.to)));
  };

  // ── The page ──
  const keys = {
    'Mod-b': P.toggleMark(marks.strong), 'Mod-i': P.toggleMark(marks.em), 'Mod-k': state => { openLink(state); return true; }, 'Mod-z': P.undo, 'Mod-y': P.redo, 'Shift-Mod-z': P.redo,
    'Alt-ArrowUp': acts.up, 'Alt-ArrowDown': acts.down, Enter: P.splitListItem(nodes.list_item), Tab: P.sinkListItem(nodes.list_item), 'Shift-Tab': P.liftListItem(nodes.list_item),
    'Shift-Enter': (state, dispatch) => { if (state.selection.$from.parent.type !== nodes.paragraph) return false; dispatch?.(state.tr.replaceSelectionWith(nodes.hard_break.create()).scrollIntoView()); return true; },
    // Out of the text, to what follows: Tab is the list's.
    Escape: () => { bar.querySelector('button').focus(); return true; },
  };
  const place = make('div', { class: 'sheet-of-paper' });
  place.style.setProperty('--title', JSON.stringify(words.title));
  const status = make('p', { class: 's muted', role: 'status' });
  root.append(make('div', { class: 'writer' }, bar, panel, place), status);
  const view = new P.EditorView(place, {
    state: P.EditorState.create({
      doc: toDoc(design),
      plugins: [
        P.inputRules({ rules: [P.wrappingInputRule(/^\s*[-*]\s$/, nodes.bullet_list), P.wrappingInputRule(/^(\d+)\.\s$/, nodes.ordered_list, match => ({ order: +match[1] }))] }),
        P.keymap(keys), P.keymap(P.baseKeymap), P.history(), P.dropCursor({ class: 'drop' }), P.gapCursor(), new P.Plugin({ props: { decorations: state => leftovers(state.doc) } }),
      ],
    }),
    attributes: { 'aria-label': words.content, role: 'textbox', 'aria-multiline': 'true' },
    // What is left over of a starting message is chosen whole by a click, and written over. A finger's tap does not come to ProseMirror as a
    // click, and is followed by the browser's own choice: this is later than that, and chooses blocks too.
    handleDOMEvents: { click: (_, event) => { setTimeout(() => pick(view.posAtCoords({ left: event.clientX, top: event.clientY })), 30); return false; } },
    // A sheet puts a picture of itself beside its text: the text is meant.
    handlePaste: (_, { clipboardData }) => {
      const files = clipboardData.getData('text/plain') ? [] : pictures.of(clipboardData);
      if (files.length) pictures.sendAll(files, view.state.selection.to);
      return files.length > 0;
    },
    handleDrop: (_, event, __, isMoved) => {
      const files = isMoved ? [] : pictures.of(event.dataTransfer);
      if (!files.length) return false;
      event.preventDefault();
      pictures.sendAll(files, view.posAtCoords({ left: event.clientX, top: event.clientY })?.pos ?? view.state.doc.content.size);
      return true;
    },
    nodeViews: { ...Object.fromEntries(Object.keys(kinds).map(kind => [kind, nodeView])), field: chip },
    dispatchTransaction(tr) {
      view.updateState(view.state.apply(tr));
      pictures.follow(tr.mapping);
      refresh();
      if (tr.docChanged) changed();
    },
  });
  const pictures = EditorPictures({ view, form, root, status, words, make, behind, shown: () => { panelOf = null; refresh(); } });
  const refresh = () => {
    for (const { element, command, isOn } of buttons) {
      element.disabled = command.length > 1 && !command(view.state);
      if (isOn) element.setAttribute('aria-pressed', isOn(view.state));
    }
    showPanel(view.state);
    place.dataset.color = color.value;
  };

  // ── Written down, shown and saved ──
  const frame = document.querySelector('iframe[name=preview]');
  let [pending, saving, failed, lost] = [0, null, false, null];
  const canonical = value => JSON.stringify(value, (_, v) => v && typeof v === 'object' && !Array.isArray(v) ? Object.fromEntries(Object.entries(v).filter(([, x]) => x !== null && x !== '').sort()) : v);
  const put = body => fetch(root.dataset.save, { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }).catch(() => null);
  // Where an answer was lost the version may be our own: what is there is what was sent.
  const ours = async () => {
    const row = await fetch(root.dataset.save.replace(/\/message$/, '')).then(answer => answer.ok ? answer.json() : null).catch(() => null);
    return row && row.subject === lost.subject.trim() && canonical(row.design) === canonical(lost.design) ? row.version : null;
  };
  const save = async () => {
    const field = name => form.elements['Form.' + name];
    const body = { name: field('Name')?.value, subject: field('Subject').value, design: read(), version: +field('Version').value };
    let answer = await put(body);
    const version = answer?.status === 412 && lost ? await ours() : null;
    if (version) answer = await put({ ...body, version });
    lost = answer ? null : body;
    const said = await answer?.json().catch(() => null);
    failed = !answer?.ok;
    if (answer?.ok) {
      field('Version').value = said.version;
      if (!pending && !pictures.underway) delete form.dataset.dirty;
      status.textContent = words.saved.replace('{0}', new Date().toLocaleTimeString(document.documentElement.lang, { hour: '2-digit', minute: '2-digit' }));
      frame?.contentWindow.location.replace(root.dataset.preview + '?dark=' + !!field('Dark')?.checked);
    } else {
      status.textContent = !answer ? words.offline : answer.status === 412 ? words.stale : Object.values(said?.errors ?? {}).flat()[0] ?? said?.title ?? words.offline;
      if (!answer) pending = setTimeout(settle, 5000);
    }
  };
  const settle = () => {
    pending = 0;
    if (!root.dataset.save) return;
    if (saving) return changed();
    saving = save().finally(() => { saving = null; });
  };
  const changed = () => {
    hidden.value = JSON.stringify(read());
    form.dataset.dirty = '';
    clearTimeout(pending);
    pending = setTimeout(settle, 900);
  };
  hidden.value = JSON.stringify(read());
  for (const field of [color, preview, ...['Name', 'Subject', 'Dark'].map(name => form.elements['Form.' + name])]) field?.addEventListener('input', () => { refresh(); changed(); });
  // What is being saved or sent is there first: the form would speak of the version before it.
  form.addEventListener('submit', event => {
    clearTimeout(pending);
    pending = 0;
    hidden.value = JSON.stringify(read());
    if (!saving && !pictures.underway) return;
    event.preventDefault();
    Promise.allSettled([saving, pictures.sent]).then(() => event.submitter ? event.submitter.click() : form.requestSubmit());
  });
  refresh();
  root.dataset.ready = '';
})();
