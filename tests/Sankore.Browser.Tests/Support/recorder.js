// Runs in every page before its own script: keeps what the stream brought and which toasts were shown.
(() => {
  window.__events = [];
  window.__toasts = [];
  const Native = window.EventSource;
  window.EventSource = class extends Native {
    constructor(...args) {
      super(...args);
      window.__source = this;
      for (const type of ['change', 'reset'])
        this.addEventListener(type, event => window.__events.push({ type, id: event.lastEventId, data: JSON.parse(event.data) }));
    }
  };
  addEventListener('DOMContentLoaded', () => {
    const box = document.getElementById('toasts');
    if (!box) return;
    const seen = new WeakSet();
    new MutationObserver(() => {
      for (const toast of box.children) {
        if (seen.has(toast)) continue;
        seen.add(toast);
        window.__toasts.push(toast.querySelector('b').textContent + ' ' + toast.querySelector('small').textContent);
      }
    }).observe(box, { childList: true });
  });
})();
