// Contrast of two sRGB colours as WCAG 2.1 defines it: relative luminance of
// the linear channels, 0.05 added for the light a screen reflects.

/** Reads #rgb or #rrggbb, with or without the sign. Returns [r, g, b] in 0..1. */
export function parseColor(text) {
  let hex = String(text).replace(/^#/, '');
  if (/^[0-9a-f]{3}$/i.test(hex)) {
    hex = [...hex].map((digit) => digit + digit).join('');
  }
  if (!/^[0-9a-f]{6}$/i.test(hex)) {
    throw new RangeError(`not a colour: ${text}`);
  }
  return [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255);
}

function luminance(color) {
  const [r, g, b] = color.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Ratio from 1 (the same colour) to 21 (black on white), two decimals. */
export function contrast(first, second) {
  const [dark, light] = [luminance(parseColor(first)), luminance(parseColor(second))].sort((a, b) => a - b);
  return Math.round(((light + 0.05) / (dark + 0.05)) * 100) / 100;
}
