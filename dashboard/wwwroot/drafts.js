// What stands in a form (form[data-draft]) outlives a lost connection and a restart of the product, in this tab. Nothing secret is kept.
const place = () => `draft:${location.pathname}`;
const patience = 5000;
let atLoss = new Map();

function fields() {
  return [...document.querySelectorAll('form[data-draft] :is(input, textarea)[id]')]
    .filter(field => !['password', 'file', 'radio'].includes(field.type) && field.dataset.kept !== 'no');
}

const value = field => field.type === 'checkbox' ? field.checked : field.value;
const standing = () => new Map(fields().map(field => [field.id, value(field)]));

function put(field, wanted) {
  field.type === 'checkbox' ? field.checked = wanted : field.value = wanted;
  field.dispatchEvent(new Event('change', { bubbles: true }));
}

function appears(find) {
  return new Promise(found => {
    const look = () => find() && done();
    const watch = new MutationObserver(look);
    const limit = setTimeout(() => done(), patience);
    const done = () => {
      watch.disconnect();
      clearTimeout(limit);
      found(find());
    };
    watch.observe(document, { childList: true, subtree: true });
    look();
  });
}

// The items of a list, "zones[1].name", come and go with buttons of the page itself: the server must know of them.
async function restore(draft) {
  for (const [id, wanted] of draft) {
    const list = id.match(/^(\w+)\[/)?.[1];
    const shown = document.getElementById(id) ?? (list && document.querySelector(`form[data-draft] [data-adds="${list}"]`));
    if (shown?.dataset.adds) {
      shown.click();
    }
    const field = await appears(() => document.getElementById(id));
    if (field && value(field) !== wanted) {
      put(field, wanted);
    }
  }
  const kept = new Set([...draft.keys()].map(id => id.match(/^\w+\[\d+\]/)?.[0]).filter(item => item));
  const left = () => [...document.querySelectorAll('form[data-draft] [data-removes]')].findLast(button => !kept.has(button.dataset.removes));
  for (let button = left(); button; button = left()) {
    button.click();
    const gone = button;
    if (!await appears(() => left() !== gone)) {
      break;
    }
  }
}

// Before the page is loaded anew.
window.keepDraft = () => {
  if (document.querySelector('form[data-draft]')) {
    sessionStorage.setItem(place(), JSON.stringify([...standing()]));
  }
};

// The connection came back to the same page: what was typed meanwhile has not reached the product.
window.connectionLost = () => atLoss = standing();
window.connectionBack = () => fields().filter(field => value(field) !== atLoss.get(field.id)).forEach(field => put(field, value(field)));

const draft = sessionStorage.getItem(place());
if (draft && await appears(() => document.querySelector('form[data-draft]'))) {
  await restore(new Map(JSON.parse(draft)));
  sessionStorage.removeItem(place());
}
