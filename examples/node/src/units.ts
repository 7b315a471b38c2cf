/** Metres in one of each unit of length. */
const metres = {
  mm: 0.001,
  cm: 0.01,
  m: 1,
  km: 1000,
  in: 0.0254,
  ft: 0.3048,
  mi: 1609.344,
} as const;

export type Unit = keyof typeof metres;

export const units = Object.keys(metres) as Unit[];

export function isUnit(name: unknown): name is Unit {
  return typeof name === 'string' && Object.hasOwn(metres, name);
}

/** Converts a length, rounded to nine significant digits to hide binary fractions. */
export function convert(value: number, from: Unit, to: Unit): number {
  return Number(((value * metres[from]) / metres[to]).toPrecision(9));
}
