// A message's design (Campaigns/Messages/MessageDesign) as a document of ProseMirror, and back. Texts are Markdown in the one, marks in the
// other: what a document says is written so that the server reads the same.
(() => {
  'use strict';
  const { Schema, DOMParser } = ProseMirror;
  const fields = ['event', 'image', 'button', 'separator', 'footer'];
  const attrs = names => Object.fromEntries(names.map(name => [name, { default: null }]));
  const atom = (names, dom) => ({ group: 'block', atom: true, draggable: true, attrs: attrs(names), toDOM: () => [dom ?? 'div'] });
  const kinds = {
    image: ['src', 'alt', 'href', 'width'], button: ['text', 'href'], event: ['title', 'on', 'from', 'to', 'place', 'text'], separator: [], footer: ['text'],
  };
  const schema = new Schema({
    nodes: {
      doc: { content: 'block+' },
      paragraph: { group: 'block part', content: 'inline*', parseDOM: [{ tag: 'p' }], toDOM: () => ['p', 0] },
      title: { group: 'block part', content: '(text | field)*', marks: '', defining: true, parseDOM: ['h1', 'h2', 'h3', 'h4'].map(tag => ({ tag })), toDOM: () => ['h2', 0] },
      bullet_list: { group: 'block part', content: 'list_item+', parseDOM: [{ tag: 'ul' }], toDOM: () => ['ul', 0] },
      ordered_list: { group: 'block part', content: 'list_item+', attrs: { order: { default: 1 } }, parseDOM: [{ tag: 'ol' }], toDOM: () => ['ol', 0] },
      list_item: { content: 'paragraph (bullet_list | ordered_list)*', defining: true, parseDOM: [{ tag: 'li' }], toDOM: () => ['li', 0] },
      image: { ...atom(kinds.image), group: 'block part' },
      button: { ...atom(kinds.button), group: 'block part' },
      event: atom(kinds.event),
      separator: { ...atom(kinds.separator), parseDOM: [{ tag: 'hr' }] },
      footer: atom(kinds.footer),
      columns: { group: 'block', content: 'column column', isolating: true, toDOM: () => ['div', { class: 'columns' }, 0] },
      column: { content: 'part+', isolating: true, toDOM: () => ['div', 0] },
      hard_break: { group: 'inline', inline: true, selectable: false, parseDOM: [{ tag: 'br' }], toDOM: () => ['br'] },
      field: {
        group: 'inline', inline: true, atom: true, attrs: { name: {}, fallback: { default: null } },
        parseDOM: [{ tag: 'span[data-name]', getAttrs: dom => ({ name: dom.dataset.name, fallback: dom.dataset.fallback ?? null }) }],
        toDOM: node => ['span', { class: 'field', 'data-name': node.attrs.name, ...node.attrs.fallback === null ? {} : { 'data-fallback': node.attrs.fallback } }, node.attrs.name],
      },
      text: { group: 'inline' },
    },
    marks: {
      link: { attrs: { href: {} }, inclusive: false, parseDOM: [{ tag: 'a[href]', getAttrs: dom => ({ href: dom.getAttribute('href') }) }], toDOM: mark => ['a', mark.attrs, 0] },
      strong: { parseDOM: [{ tag: 'strong' }, { tag: 'b' }], toDOM: () => ['strong', 0] },
      em: { parseDOM: [{ tag: 'em' }, { tag: 'i' }], toDOM: () => ['em', 0] },
    },
  });

  // ── Merge fields: {{contact.name}}, {{default contact.name "Madame, Monsieur"}} ──
  const tag = /\{\{\s*(?:default\s+)?([\w.]+)(?:\s+"([^"{}]*)")?\s*\}\}/g;
  const written = ({ name, fallback }) => fallback ? `{{default ${name} "${fallback.replace(/["{}]/g, '')}"}}` : `{{${name}}}`;
  const pieces = (text, piece, field) => {
    const found = [];
    let end = 0;
    for (const match of (text ?? '').matchAll(tag)) {
      if (match.index > end) found.push(piece(text.slice(end, match.index)));
      found.push(field({ name: match[1], fallback: match[2] ?? null }));
      end = match.index + match[0].length;
    }
    if (end < (text ?? '').length) found.push(piece(text.slice(end)));
    return found;
  };
  const line = text => pieces(text, part => schema.text(part), values => schema.node('field', values));

  // ── From a design ──
  const parser = DOMParser.fromSchema(schema);
  const flow = html => {
    // Not innerHTML of the page: nothing of it is loaded.
    const body = new window.DOMParser().parseFromString(html ?? '', 'text/html').body;
    const texts = document.createTreeWalker(body, NodeFilter.SHOW_TEXT);
    const nodes = [];
    while (texts.nextNode()) nodes.push(texts.currentNode);
    for (const node of nodes)
      if (node.data.includes('{{'))
        node.replaceWith(...pieces(node.data, part => part, values => {
          const span = document.createElement('span');
          span.dataset.name = values.name;
          if (values.fallback !== null) span.dataset.fallback = values.fallback;
          return span;
        }));
    return parser.parse(body).content.content;
  };
  const orEmpty = (nodes, type = 'paragraph') => nodes.length ? nodes : [schema.node(type)];
  const nodesOf = block => {
    switch (block?.type) {
      case 'title': return [schema.node('title', null, line(block.text))];
      case 'text': return flow(block.html);
      case 'columns': return [schema.node('columns', null, ['left', 'right'].map(side =>
        schema.node('column', null, orEmpty((block[side] ?? []).flatMap(nodesOf).filter(node => node.type.spec.group.includes('part'))))))];
      default: return fields.includes(block?.type) ? [schema.node(block.type, Object.fromEntries(kinds[block.type].map(name => [name, block[name] ?? null])))] : [];
    }
  };
  const toDoc = design => schema.node('doc', null, orEmpty((design.blocks ?? []).flatMap(nodesOf)));

  // ── To a design ──
  const punctuation = /[\p{P}\p{S}]/u, wordly = /[\p{L}\p{N}]/u;
  const escaped = text => text.replace(/\[\[|\]\]|[\\`*_[\]<>&]/g, sign => sign.length === 2 ? sign : '\\' + sign);
  const marksOf = marks => ['link', 'strong', 'em'].map(name => marks.find(mark => mark.type.name === name)).filter(Boolean);
  // Emphasis in Markdown begins and ends at a word: blanks at its ends, and signs that touch a word outside, are left out of it.
  const trimmed = runs => {
    const out = [];
    runs.forEach((run, i) => {
      const bold = run.marks.some(mark => mark.type.name !== 'link');
      if (!bold || run.raw) return out.push(run);
      const plain = run.marks.filter(mark => mark.type.name === 'link');
      let [, before, middle, after] = run.text.match(/^(\s*)([^]*?)(\s*)$/);
      const [previous, next] = [out.at(-1)?.text.at(-1) ?? ' ', runs[i + 1]?.text[0] ?? ' '];
      while (!before && middle && punctuation.test(middle[0]) && wordly.test(previous)) [before, middle] = [before + middle[0], middle.slice(1)];
      while (!after && middle && punctuation.test(middle.at(-1)) && wordly.test(next)) [after, middle] = [middle.at(-1) + after, middle.slice(0, -1)];
      if (before) out.push({ text: before, marks: plain });
      if (middle) out.push({ text: middle, marks: run.marks });
      if (after) out.push({ text: after, marks: plain });
    });
    return out;
  };
  const target = href => /[\s()<>]/.test(href) ? `<${href.replace(/[<>\n]/g, encodeURIComponent)}>` : href;
  const markdown = node => {
    const runs = [];
    node.forEach(child => runs.push(child.isText ? { text: child.text, marks: marksOf(child.marks) }
      : child.type.name === 'field' ? { text: written(child.attrs), marks: marksOf(child.marks), raw: true } : { text: '\n', marks: [], raw: true }));
    let [out, open] = ['', []];
    const close = keep => { while (open.length > keep) { const mark = open.pop(); out += mark.type.name === 'link' ? `](${target(mark.attrs.href)})` : mark.type.name === 'strong' ? '**' : '*'; } };
    for (const run of trimmed(runs)) {
      let same = 0;
      while (same < open.length && run.marks[same]?.eq(open[same])) same++;
      close(same);
      for (const mark of run.marks.slice(same)) out += mark.type.name === 'link' ? '[' : mark.type.name === 'strong' ? '**' : '*', open.push(mark);
      out += run.raw ? run.text : escaped(run.text);
    }
    close(0);
    // What would begin a list, a heading or a line across is meant as it is.
    return out.replace(/[ \t]+$/gm, '').replace(/^[ \t]*([-+#=])/gm, '\\$1').replace(/^[ \t]*(\d+)([.)])(?=\s|$)/gm, '$1\\$2').trim();
  };
  const list = (node, indent) => {
    const lines = [];
    node.forEach((item, _, i) => {
      const sign = node.type.name === 'ordered_list' ? `${i + 1}. ` : '- ';
      item.forEach((part, __, j) => {
        const pad = indent + ' '.repeat(sign.length);
        if (part.type.name === 'paragraph') lines.push((j ? pad : indent + sign) + markdown(part).replace(/\n/g, '\n' + pad));
        else lines.push(list(part, pad));
      });
    });
    return lines.join('\n');
  };
  const blocksOf = parent => {
    const blocks = [];
    let text = [];
    const flush = () => { if (text.length) blocks.push({ type: 'text', text: text.join('\n\n') }); text = []; };
    parent.forEach(node => {
      const kind = node.type.name;
      if (kind === 'paragraph') return void (node.content.size && text.push(markdown(node)));
      if (kind.endsWith('_list')) return void text.push(list(node, ''));
      flush();
      if (kind === 'title') blocks.push({ type: kind, text: plain(node) });
      else if (kind === 'columns') blocks.push({ type: kind, left: blocksOf(node.child(0)), right: blocksOf(node.child(1)) });
      else blocks.push({ type: kind, ...Object.fromEntries(Object.entries(node.attrs).filter(([, value]) => value)) });
    });
    flush();
    return blocks;
  };
  const plain = node => {
    let text = '';
    node.forEach(child => { text += child.isText ? child.text : child.type.name === 'field' ? written(child.attrs) : ' '; });
    return text.trim();
  };
  window.Design = { schema, kinds, toDoc, toBlocks: blocksOf };
})();
