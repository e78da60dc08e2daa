// Passkeys (WebAuthn): a button has the device sign, and its form is sent with the answer.
// Markup says what it does:
//   data-passkey="create"     makes a passkey, by the request in data-request
//   data-passkey="get"        signs, in place of a code; the form's other fields must be filled in
//   data-passkey="sign-in"    signs, in place of everything; the device may offer it by itself, where the address is typed
//   data-none, data-known, data-failed, data-offline   what is said when nothing was chosen, when the device has one already, when it
//                             cannot, when the server did not answer
(() => {
  'use strict';
  const buttons = [...document.querySelectorAll('[data-passkey]')];
  if (!window.PublicKeyCredential || !buttons.length) return;

  const bytes = text => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), c => c.charCodeAt(0));
  const text = buffer => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
  const ids = list => (list ?? []).map(entry => ({ ...entry, id: bytes(entry.id) }));

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

  // The fields that the answer takes the place of are not asked for.
  const replaced = (button, input) => button.dataset.passkey === 'sign-in' || input.autocomplete === 'one-time-code';
  const send = (button, { state }, credential) => {
    const { form } = button;
    for (const input of form.querySelectorAll('[required]')) if (replaced(button, input)) input.required = false;
    form.querySelector('[name$=".Passkey"]').value = JSON.stringify({ state, credential: plain(credential) });
    form.requestSubmit();
  };
  const say = (button, error) => {
    const place = button.nextElementSibling;
    const { none, known, failed, offline } = button.dataset;
    place.textContent = { NotAllowedError: none, InvalidStateError: known }[error?.name] ?? (error instanceof DOMException ? failed : offline);
    place.hidden = !error;
  };

  let offer;
  const press = async button => {
    const others = [...button.form.querySelectorAll('input,select,textarea')].filter(input => !replaced(button, input));
    if (!others.every(input => input.reportValidity())) return;
    offer?.abort();
    button.disabled = true;
    say(button);
    try {
      const making = button.dataset.passkey === 'create';
      const request = making ? JSON.parse(button.dataset.request) : await ask();
      send(button, request, await (making ? create : sign)(request));
    } catch (error) {
      button.disabled = false;
      say(button, error);
    }
  };

  // Where somebody types the address, the device offers its passkeys beside the addresses that it knows.
  const offerFor = async button => {
    if (!await PublicKeyCredential.isConditionalMediationAvailable?.()) return;
    const request = await ask();
    offer = new AbortController();
    send(button, request, await sign(request, { mediation: 'conditional', signal: offer.signal }));
  };

  for (const button of buttons) {
    button.hidden = false;
    button.addEventListener('click', () => press(button));
    if (button.dataset.passkey === 'sign-in') offerFor(button).catch(() => {});
  }
  // A page that comes back from the browser's memory can be used again.
  addEventListener('pageshow', event => { if (event.persisted) for (const button of buttons) button.disabled = false; });
})();
