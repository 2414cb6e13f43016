// Before the first paint, so that a page never appears in the wrong colours. Nothing stored: the system decides.
(() => {
  const stored = localStorage.getItem('theme');
  if (stored === 'light' || stored === 'dark') {
    document.documentElement.dataset.theme = stored;
  }
})();
