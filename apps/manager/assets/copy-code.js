// Shows the copy button where it can work; without this script the code is selected and copied by hand.
const button = document.getElementById('copy');
const code = document.getElementById('code');
const status = document.getElementById('copied');

async function copy() {
  const text = code.textContent.trim();
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    getSelection().selectAllChildren(code);
    return document.execCommand('copy');
  }
}

async function copyAndTell() {
  status.textContent = (await copy()) ? 'Copied.' : 'Could not copy: select the code and copy it.';
}

if (button && code && status) {
  button.hidden = false;
  button.addEventListener('click', () => {
    void copyAndTell();
  });
}
