// Numbers and times for people.

const whole = new Intl.NumberFormat('en');
const clock = new Intl.DateTimeFormat('en-GB', {hour: '2-digit', minute: '2-digit', second: '2-digit'});
const day = new Intl.DateTimeFormat('en-GB', {day: 'numeric', month: 'short'});

export const count = value => whole.format(value ?? 0);

/** Three digits that matter. */
function short(value) {
  return value >= 100 ? whole.format(Math.round(value)) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

export function bytes(value) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let i = 0;
  for (; value >= 1024 && i < units.length - 1; i++) {
    value /= 1024;
  }
  return `${i === 0 ? value : short(value).replace(/\.0+$/, '')} ${units[i]}`;
}

export const rate = value => `${value === 0 ? '0' : short(value)}/s`;

export function millis(value) {
  return value >= 10_000 ? `${short(value / 1000)} s` : `${short(value)} ms`;
}

export function duration(seconds) {
  const parts = [['d', 86_400], ['h', 3600], ['min', 60], ['s', 1]];
  const texts = [];
  for (const [unit, size] of parts) {
    const many = Math.floor(seconds / size);
    seconds -= many * size;
    if (many > 0 && texts.length < 2) {
      texts.push(`${many} ${unit}`);
    }
  }
  return texts.join(' ') || '0 s';
}

/** The time of day, and the day if it is not today's. */
export function time(when) {
  const date = new Date(when);
  const today = date.toDateString() === new Date().toDateString();
  return (today ? '' : `${day.format(date)} `) + clock.format(date);
}

export function triggerText(trigger) {
  return trigger.http ? `HTTP ${trigger.http}` : `MQTT ${trigger.mqtt} (${trigger.delivery}`
    + `${trigger.priority === 'alarm' ? ', alarm' : ''}${trigger.fast ? ', by the kernel' : ''})`;
}
