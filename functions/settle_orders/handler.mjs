// Settles the orders of an SQS batch. An order that cannot be settled is reported alone, so that the others are
// not handled twice: the event source mapping has to report batch item failures for that.
import { cents } from "./money.mjs";

export const handler = async (event) => {
  const batchItemFailures = [];
  for (const { messageId, body } of event.Records) {
    try {
      const { id, lines } = JSON.parse(body);
      const total = lines.reduce((sum, { quantity, price }) => sum + quantity * cents(price), 0);
      console.log(JSON.stringify({ order: id, totalCents: total }));
    } catch (error) {
      console.error(JSON.stringify({ messageId, error: error.message }));
      batchItemFailures.push({ itemIdentifier: messageId });
    }
  }
  return { batchItemFailures };
};
