// Asks the origin for index.html where a viewer asks for a folder (CloudFront Function, viewer request).
function handler(event) {
  const request = event.request;
  if (request.uri.endsWith("/")) {
    request.uri += "index.html";
  } else if (!request.uri.split("/").pop().includes(".")) {
    request.uri += "/index.html";
  }
  return request;
}
