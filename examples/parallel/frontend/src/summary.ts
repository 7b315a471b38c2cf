export interface Roll {
  dice: string;
  rolls: number[];
}

/** One line for a person: "2d6: 3 + 5 = 8". */
export function summary({ dice, rolls }: Roll): string {
  const total = rolls.reduce((sum, roll) => sum + roll, 0);
  return rolls.length === 1 ? `${dice}: ${total}` : `${dice}: ${rolls.join(' + ')} = ${total}`;
}
