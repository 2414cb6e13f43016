// Small elements that need no round trip to the server. They render from attributes only, so they never disturb the server's view of the page.
const day = new Intl.DateTimeFormat(undefined, { year: 'numeric', month: 'short', day: 'numeric' });
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
const minute = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });

function utc(date) {
  return date.toISOString().replace('T', ' ').replace(/\.\d+Z$/, ' UTC');
}

function span(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  const [d, h, m] = [Math.floor(s / 86400), Math.floor(s / 3600) % 24, Math.floor(s / 60) % 60];
  return d ? `${d} d ${h} h` : h ? `${h} h ${m} min` : m ? `${m} min ${s % 60} s` : `${s} s`;
}

const ticking = new Set();
setInterval(() => ticking.forEach(element => element.show()), 1000);

class Shown extends HTMLElement {
  connectedCallback() {
    this.show();
    if (this.ticks()) {
      ticking.add(this);
    }
  }

  disconnectedCallback() {
    ticking.delete(this);
  }

  attributeChangedCallback() {
    if (this.isConnected) {
      this.ticks() ? ticking.add(this) : ticking.delete(this);
      this.show();
    }
  }

  put(text, title) {
    if (this.textContent !== text) {
      this.textContent = text;
    }
    if (title && this.title !== title) {
      this.title = title;
    }
  }
}

// <local-time at="2026-01-01T00:00:00Z" as="full|clock|ago">: in the reader's own time zone, UTC in the tooltip.
customElements.define('local-time', class extends Shown {
  static observedAttributes = ['at', 'as'];

  ticks() {
    return this.getAttribute('as') === 'ago';
  }

  show() {
    const at = new Date(this.getAttribute('at'));
    const full = `${day.format(at)}, ${clock.format(at)}`;
    const as = this.getAttribute('as');
    if (as === 'clock') {
      this.put(clock.format(at), utc(at));
    } else if (as === 'ago') {
      const age = (Date.now() - at) / 1000;
      const text = age < -1 ? `in ${span(-age)}` : age < 2 ? 'just now' : age < 86400 ? `${span(age).split(' ').slice(0, 2).join(' ')} ago` : `${day.format(at)}, ${minute.format(at)}`;
      this.put(text, `${full} (${utc(at)})`);
    } else {
      this.put(full, utc(at));
    }
  }
});

// <time-span from="…" to="…">: without an end it counts on.
customElements.define('time-span', class extends Shown {
  static observedAttributes = ['from', 'to'];

  ticks() {
    return !this.hasAttribute('to');
  }

  show() {
    const to = this.hasAttribute('to') ? new Date(this.getAttribute('to')) : Date.now();
    const seconds = (to - new Date(this.getAttribute('from'))) / 1000;
    this.put(this.hasAttribute('to') && seconds < 10 ? seconds < 0.1 ? '< 0.1 s' : `${seconds.toFixed(1)} s` : span(seconds));
  }
});

// <theme-switch>: system, light, dark. Kept in this browser.
customElements.define('theme-switch', class extends HTMLElement {
  connectedCallback() {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'theme-switch';
    button.addEventListener('click', () => {
      const next = { system: 'light', light: 'dark', dark: 'system' }[this.current()];
      if (next === 'system') {
        delete document.documentElement.dataset.theme;
        localStorage.removeItem('theme');
      } else {
        document.documentElement.dataset.theme = next;
        localStorage.setItem('theme', next);
      }
      this.name();
    });
    this.replaceChildren(button);
    this.name();
  }

  current() {
    return document.documentElement.dataset.theme ?? 'system';
  }

  name() {
    const words = { system: 'as the system', light: 'light', dark: 'dark' }[this.current()];
    this.firstChild.title = `Colours: ${words}`;
    this.firstChild.setAttribute('aria-label', `Colours: ${words}. Change`);
  }
});

// <follow-end>: a scrolling box that stays at its end while text arrives, until its reader scrolls up.
customElements.define('follow-end', class extends HTMLElement {
  connectedCallback() {
    this.toggleAttribute('following', true);
    this.atEnd = () => this.scrollHeight - this.scrollTop - this.clientHeight < 24;
    this.addEventListener('scroll', () => this.toggleAttribute('following', this.atEnd()), { passive: true });
    this.watch = new MutationObserver(() => this.hasAttribute('following') && this.end());
    this.watch.observe(this, { childList: true, subtree: true });
    this.resized = new ResizeObserver(() => this.hasAttribute('following') && this.end());
    this.resized.observe(this);
    this.end();
  }

  disconnectedCallback() {
    this.watch.disconnect();
    this.resized.disconnect();
  }

  end() {
    this.scrollTop = this.scrollHeight;
  }
});

document.addEventListener('click', async event => {
  const button = event.target.closest('[data-follow], [data-copy]');
  if (button?.dataset.follow) {
    const box = document.getElementById(button.dataset.follow);
    box.toggleAttribute('following', true);
    box.end();
  } else if (button) {
    const from = document.getElementById(button.dataset.copy);
    const lines = [...from.querySelectorAll('[data-line]')].map(line => [...line.children].map(part => part.textContent).filter(text => text).join('  '));
    await navigator.clipboard.writeText(lines.length ? lines.join('\n') : from.textContent.trim());
    button.dataset.copied = '';
    setTimeout(() => delete button.dataset.copied, 1500);
  }
});
