/** The time of day in an IANA time zone as HH:MM, or undefined for an unknown zone. */
export function timeIn(zone, now = new Date()) {
  try {
    return new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit' }).format(now);
  } catch {
    return undefined;
  }
}
