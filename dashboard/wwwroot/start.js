// The page stays as it is while the product restarts, and returns by itself: to its circuit when that still lives, else by loading anew.
Blazor.start({
  circuit: {
    reconnectionOptions: {
      maxRetries: 1000000,
      retryIntervalMilliseconds: tries => Math.min(500 + 250 * tries, 3000),
    },
  },
});

document.getElementById('components-reconnect-modal').addEventListener('components-reconnect-state-changed', event => {
  if (event.detail.state === 'show') {
    connectionLost();
  } else if (event.detail.state === 'hide') {
    connectionBack();
  } else if (['rejected', 'failed', 'resume-failed'].includes(event.detail.state)) {
    keepDraft();
    location.reload();
  }
});

// A laptop that wakes up should not wait for the next try.
document.addEventListener('visibilitychange', () => {
  const lost = document.querySelector('#components-reconnect-modal.components-reconnect-retrying');
  if (lost && document.visibilityState === 'visible') {
    Blazor.reconnect().catch(() => { });
  }
});

// The first connection has no retries of its own. Nothing on the page yet: it failed, or the product stopped in between.
setTimeout(() => {
  if (!document.querySelector('.shell')) {
    location.reload();
  }
}, 20000);
