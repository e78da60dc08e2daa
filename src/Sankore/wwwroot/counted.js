// A form whose answer counts what it chooses (data-counted="SELECTOR" of the figure): it is sent as it changes, and only the figure is
// shown anew. Without this script its button does the same.
(() => {
  'use strict';
  const form = document.querySelector('form[data-counted]');
  if (!form) return;
  const { counted } = form.dataset;
  let waiting;
  let running;
  let version = 0;
  const ask = async () => {
    const mine = ++version;
    const data = new FormData(form);
    data.set('Form.Next', 'audience');
    const answer = await fetch(location, { method: 'POST', body: new URLSearchParams(data) }).catch(() => null);
    if (!answer?.ok || mine !== version) return;
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const saved = page.querySelector('form[data-counted] [name="Form.Version"]');
    // What is not whole yet is refused, and stays as it was.
    if (!saved || page.querySelector('.flash.bad')) return;
    document.querySelector(counted).innerHTML = page.querySelector(counted).innerHTML;
    form.querySelector('[name="Form.Version"]').value = saved.value;
    delete form.dataset.dirty;
  };
  const count = () => {
    const mine = ask().finally(() => { if (running === mine) running = undefined; });
    running = mine;
  };
  // What is being saved is saved first: the form would speak of the version before it.
  form.addEventListener('submit', event => {
    clearTimeout(waiting);
    if (!running) return;
    event.preventDefault();
    running.then(() => event.submitter.click());
  });
  form.addEventListener('change', ({ target }) => {
    if (target.type === 'search') return;
    clearTimeout(waiting);
    waiting = setTimeout(count, 300);
  });
  // Enter in the words looks for them, and is not the next step.
  form.addEventListener('keydown', event => {
    if (event.key !== 'Enter' || event.target.type !== 'search') return;
    event.preventDefault();
    event.target.closest('.row').querySelector('button').click();
  });
})();
