// Passkeys (WebAuthn): a button has the device sign, and its form is sent with the answer.
// Markup says what it does; what is not possible here is not shown (html.passkeys in app.css):
//   data-passkey="create"     makes a passkey, by the request in data-request
//   data-passkey="get"        signs, in place of a code; the form's other fields must be filled in
//   data-passkey="sign-in"    signs, in place of everything; the device may offer it by itself, where the address is typed
//   data-none, data-known, data-failed, data-offline   what is said when nothing was chosen, when the device has one already, when it
//                             cannot, when the server did not answer
(() => {
  'use strict';
  if (!window.PublicKeyCredential) return;
  document.documentElement.classList.add('passkeys');

  const bytes = text => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), c => c.charCodeAt(0));
  const text = buffer => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
  const ids = list => (list || []).map(entry => ({ ...entry, id: bytes(entry.id) }));

  const ask = async () => {
    const answer = await fetch('/api/auth/passkeys/request');
    if (!answer.ok) throw new Error(answer.status);
    return answer.json();
  };
  const create = ({ options }) => navigator.credentials.create({
    publicKey: {
      ...options,
      challenge: bytes(options.challenge),
      user: { ...options.user, id: bytes(options.user.id) },
      excludeCredentials: ids(options.excludeCredentials),
    },
  });
  const sign = ({ options }, more) => navigator.credentials.get({
    publicKey: { ...options, challenge: bytes(options.challenge), allowCredentials: ids(options.allowCredentials) }, ...more,
  });
  const plain = ({ id, type, response }) => {
    const credential = { id, rawId: id, type, clientExtensionResults: {}, response: {} };
    for (const part of ['clientDataJSON', 'attestationObject', 'authenticatorData', 'signature', 'userHandle']) {
      if (response[part]) credential.response[part] = text(response[part]);
    }
    if (response.getTransports) credential.response.transports = response.getTransports();
    return credential;
  };

  const answerOf = form => form.querySelector('input[name$=".Passkey"]');
  const send = ({ form }, { state }, credential) => {
    answerOf(form).value = JSON.stringify({ state, credential: plain(credential) });
    // What the answer takes the place of may be half filled in.
    form.noValidate = true;
    if (form.requestSubmit) form.requestSubmit(); else form.submit();
  };
  const say = (button, error) => {
    const place = button.nextElementSibling;
    const { none, known, failed, offline } = button.dataset;
    place.hidden = !error;
    if (!error) return;
    const why = { NotAllowedError: none, InvalidStateError: known }[error.name];
    place.textContent = why || (error instanceof DOMException ? failed : offline);
  };
  // The fields that the answer does not take the place of.
  const others = button => button.dataset.passkey === 'sign-in' ? []
    : [...button.form.querySelectorAll('input,select,textarea')].filter(input => input.autocomplete !== 'one-time-code');

  let offered;
  let busy = false;
  const press = async button => {
    if (busy || !others(button).every(input => input.reportValidity())) return;
    busy = true;
    if (offered) offered.abort();
    button.setAttribute('aria-disabled', 'true');
    say(button);
    try {
      const making = button.dataset.passkey === 'create';
      const request = making ? JSON.parse(button.dataset.request) : await ask();
      send(button, request, await (making ? create : sign)(request));
    } catch (error) {
      say(button, error);
      offer();
    } finally {
      busy = false;
      button.removeAttribute('aria-disabled');
    }
  };

  // Where somebody types the address, the device offers its passkeys beside the addresses that it knows.
  const offer = async () => {
    const button = document.querySelector('[data-passkey="sign-in"]');
    if (!button || document.hidden || !PublicKeyCredential.isConditionalMediationAvailable) return;
    try {
      if (offered) offered.abort();
      if (!await PublicKeyCredential.isConditionalMediationAvailable()) return;
      const request = await ask();
      if (busy) return;
      offered = new AbortController();
      send(button, request, await sign(request, { mediation: 'conditional', signal: offered.signal }));
    } catch {
      // Nobody asked for it.
    }
  };

  addEventListener('click', event => {
    const button = event.target.closest('[data-passkey]');
    if (button) press(button);
  });
  // Enter, in a form that has no other button.
  addEventListener('submit', event => {
    const button = event.target.querySelector('[data-passkey="create"]');
    if (!button || answerOf(event.target).value) return;
    event.preventDefault();
    press(button);
  }, true);
  // A page that comes back keeps no answer: it was for once.
  addEventListener('pageshow', () => {
    for (const form of document.forms) {
      if (!answerOf(form)) continue;
      answerOf(form).value = '';
      form.noValidate = false;
    }
    offer();
  });
  // A request is good for ten minutes.
  setInterval(() => busy || offer(), 9 * 60e3);
})();
