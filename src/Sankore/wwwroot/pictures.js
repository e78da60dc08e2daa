// A photo that is chosen on a telephone is made smaller before it goes over a bad line; what cannot be read here goes as it is.
(() => {
  'use strict';
  if (window.Pictures) return;
  const shrink = async file => {
    if (/^image\/(png|gif|webp)$/.test(file.type) || file.size < 400_000) return file;
    try {
      const picture = await createImageBitmap(file);
      const scale = Math.min(1, 1600 / Math.max(picture.width, picture.height));
      const canvas = document.createElement('canvas');
      [canvas.width, canvas.height] = [Math.round(picture.width * scale), Math.round(picture.height * scale)];
      canvas.getContext('2d').drawImage(picture, 0, 0, canvas.width, canvas.height);
      const blob = await new Promise(done => { canvas.toBlob(done, 'image/jpeg', .85); });
      return blob && blob.size < file.size ? new File([blob], file.name, { type: blob.type }) : file;
    } catch { return file; }
  };
  window.Pictures = { shrink };
  document.addEventListener('change', async event => {
    const input = event.target;
    if (input.type !== 'file' || !input.accept.startsWith('image/') || !input.files.length || !input.name) return;
    const chosen = input.files;
    const smaller = new DataTransfer();
    for (const file of await Promise.all([...chosen].map(shrink))) smaller.items.add(file);
    // Unless another was chosen meanwhile.
    if (input.files === chosen) input.files = smaller.files;
  });
})();
