// Adds security headers to what the origin answers, before CloudFront caches it (Lambda@Edge, origin response).
const header = (key, value) => [{ key, value }];

export const handler = async (event) => {
  const { response } = event.Records[0].cf;
  Object.assign(response.headers, {
    "strict-transport-security": header("Strict-Transport-Security", "max-age=63072000; includeSubDomains"),
    "x-content-type-options": header("X-Content-Type-Options", "nosniff"),
  });
  return response;
};
