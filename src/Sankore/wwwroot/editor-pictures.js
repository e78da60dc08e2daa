// The pictures of the editor of a message: of the library, of this device, dropped or pasted.
(() => {
  'use strict';
  const P = ProseMirror;
  const { nodes } = Design.schema;
  window.EditorPictures = ({ view, form, root, status, words, make, behind, shown }) => {
    // A picture that is on its way goes where it was meant to, whatever is written meanwhile; the form is not sent without it.
    const places = new Set();
    const placeAt = at => { const place = { at }; places.add(place); return place; };
    let [underway, sent] = [0, Promise.resolve()];
    const onTheWay = work => {
      underway++;
      form.dataset.dirty = '';
      const mine = work().finally(() => { underway--; });
      sent = Promise.allSettled([sent, mine]);
      return mine;
    };
    const send = async file => {
      status.textContent = words.sending;
      const body = new FormData();
      body.append('file', await Pictures.shrink(file), file.name);
      const answer = await fetch(root.dataset.pictures, { method: 'POST', body }).catch(() => null);
      const picture = await answer?.json().catch(() => null);
      status.textContent = answer?.ok ? '' : Object.values(picture?.errors ?? {}).flat()[0] ?? picture?.title ?? words.offline;
      return answer?.ok ? picture : null;
    };
    const putPicture = (place, src, isMore = false) => {
      const { doc, tr } = view.state;
      const here = isMore ? null : doc.nodeAt(place.at);
      const isPicture = here?.type === nodes.image;
      const at = place.at = isPicture ? place.at : behind(doc.resolve(Math.min(place.at, doc.content.size)), true);
      view.dispatch(isPicture ? tr.setNodeMarkup(at, null, { ...here.attrs, src }) : tr.insert(at, nodes.image.create({ src })));
      return at;
    };
    const sendAll = (files, at) => onTheWay(async () => {
      const [place, faults] = [placeAt(at), []];
      for (const file of files) {
        const picture = await send(file);
        if (picture) putPicture(place, picture.address);
        else faults.push(`${file.name}: ${status.textContent}`);
      }
      places.delete(place);
      if (faults.length) status.textContent = faults.join(' ');
    });
    const of = data => [...data?.files ?? []].filter(file => file.type.startsWith('image/'));
    // For the picture that is chosen; or one more, which is there once it is chosen.
    const choose = async isMore => {
      const { selection } = view.state;
      const place = placeAt(isMore ? selection.to : selection.from);
      const from = make('input', { class: 'input', id: 'picture-file', type: 'file', accept: root.dataset.accept });
      const grid = make('div', { class: 'picks' });
      const more = make('button', { type: 'button', class: 'btn', hidden: true, onclick: () => load() }, words.more);
      const said = make('p', { role: 'status' });
      const dialog = make('dialog', { 'aria-labelledby': 'pictures-title' }, make('h2', { id: 'pictures-title' }, words.choose),
        make('div', { class: 'field' }, make('label', { for: 'picture-file' }, words.upload), from), said, grid, more,
        make('div', { class: 'dialog-foot' }, make('button', { type: 'button', class: 'btn', onclick: () => dialog.close() }, words.close)));
      const chosen = src => {
        // Whoever has closed it has given up.
        if (!dialog.open) return;
        const at = putPicture(place, src, isMore);
        view.dispatch(view.state.tr.setSelection(P.NodeSelection.create(view.state.doc, at)));
        dialog.close();
        shown();
      };
      let isBusy = false;
      from.addEventListener('change', async () => {
        const [file] = from.files;
        if (isBusy || !file) return;
        isBusy = true;
        said.textContent = words.sending;
        const picture = await onTheWay(() => send(file));
        isBusy = false;
        if (picture) return chosen(picture.address);
        [from.value, said.textContent] = ['', status.textContent];
      });
      let page = 0;
      const load = async () => {
        const answer = await fetch(`${root.dataset.pictures}?size=24&page=${++page}`).catch(() => null);
        const found = answer?.ok ? await answer.json() : null;
        if (!found) page--;
        grid.append(...(found?.items ?? []).map(({ address, name }) => make('button', { type: 'button', title: name, onclick: () => chosen(address) }, make('img', { src: address + '/small', alt: name, loading: 'lazy' }))));
        more.hidden = !found || grid.children.length >= found.total;
        if (!isBusy) said.textContent = !found ? words.offline : found.total ? '' : words.no_pictures;
      };
      document.body.append(dialog);
      dialog.addEventListener('close', () => { places.delete(place); dialog.remove(); view.focus(); });
      dialog.showModal();
      await load();
    };

    return {
      choose, sendAll, of,
      follow: mapping => { for (const place of places) place.at = mapping.map(place.at); },
      get underway() { return underway > 0; },
      get sent() { return sent; },
    };
  };
})();
