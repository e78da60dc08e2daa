// A form whose answer counts what it chooses (data-counted="SELECTOR" of the figure): it is sent as it changes, one answer after the other, and
// only the figure is shown anew. Without this script its button does the same. The page may be read again meanwhile: the form is looked up.
(() => {
  'use strict';
  const find = () => document.querySelector('form[data-counted]');
  let waiting;
  let running;
  let asked = 0;
  const ask = async () => {
    const mine = asked;
    const form = find();
    if (!form) return;
    const data = new FormData(form);
    data.set('Form.Next', 'audience');
    const answer = await fetch(location, { method: 'POST', body: new URLSearchParams(data) }).catch(() => null);
    if (!answer?.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const saved = page.querySelector('form[data-counted] [name="Form.Version"]');
    // What is not whole yet is refused, and stays as it was.
    if (!saved || page.querySelector('.flash.bad[role=alert]')) return;
    find().querySelector('[name="Form.Version"]').value = saved.value;
    if (mine !== asked) return;
    const { counted } = form.dataset;
    document.querySelector(counted).innerHTML = page.querySelector(counted).innerHTML;
    delete find().dataset.dirty;
  };
  const count = () => {
    asked++;
    const mine = (running ?? Promise.resolve()).then(ask).finally(() => { if (running === mine) running = undefined; });
    running = mine;
  };
  // What is being saved is saved first: the form would speak of the version before it.
  document.addEventListener('submit', event => {
    if (event.target !== find()) return;
    clearTimeout(waiting);
    if (!running) return;
    event.preventDefault();
    running.then(() => event.submitter.click());
  });
  document.addEventListener('change', ({ target }) => {
    if (target.form !== find() || target.type === 'search') return;
    clearTimeout(waiting);
    waiting = setTimeout(count, 300);
  });
  // Enter in the words looks for them, and is not the next step.
  document.addEventListener('keydown', event => {
    if (event.key !== 'Enter' || event.target.type !== 'search' || event.target.form !== find()) return;
    event.preventDefault();
    event.target.closest('.row').querySelector('button').click();
  });
})();
