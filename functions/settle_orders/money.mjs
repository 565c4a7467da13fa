// Money is counted in whole cents; a price that is none is an error and not NaN.
export const cents = (price) => {
  const amount = Math.round(Number(price) * 100);
  if (!Number.isSafeInteger(amount) || amount < 0) {
    throw new RangeError(`price is ${price}, allowed are amounts of 0 and more`);
  }
  return amount;
};
