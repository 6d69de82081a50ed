import Hummingbird
import PGOutput

/// An error as a client sees it: a problem document (RFC 9457).
struct Problem: Error, HTTPResponseError, Sendable {
  let status: HTTPResponse.Status
  /// What kind of problem, in a few words that do not change.
  let title: String
  /// What is wrong with this request, and how to mend it.
  let detail: String
  var headers = HTTPFields()
  /// What else a program may want to know.
  var members: [(name: String, value: String)] = []

  static let unauthorized: Problem = {
    var problem = Problem(
      status: .unauthorized, title: "no valid token",
      detail: "send a token that this server knows: `Authorization: Bearer TOKEN`")
    problem.headers[.wwwAuthenticate] = "Bearer realm=\"crossfade\""
    return problem
  }()

  /// The same for a slot that is not there and one that the token is not for: nothing of the other is told.
  static func noSuchSlot(_ slot: String) -> Problem {
    Problem(
      status: .notFound, title: "no such slot",
      detail: "this server has no slot \(slot) for this token; GET /v1/slots lists those it has")
  }

  static let noSuchPath = Problem(
    status: .notFound, title: "no such path",
    detail:
      "there are /v1/events, /v1/positions, /v1/states, /v1/slots, /v1/slots/SLOT, /v1/slots/SLOT/reads and /v1/health"
  )

  static let notThatMethod: Problem = {
    var problem = Problem(
      status: .methodNotAllowed, title: "not that method", detail: "everything here is read: use GET or HEAD")
    problem.headers[.allow] = "GET, HEAD"
    return problem
  }()

  static func badRequest(_ detail: String) -> Problem {
    Problem(status: .badRequest, title: "the request is wrong", detail: detail)
  }

  var json: [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("title")
    writer.string(title)
    writer.key("status")
    writer.integer(status.code)
    writer.key("detail")
    writer.string(detail)
    for (name, value) in members {
      writer.key(name)
      writer.string(value)
    }
    writer.endObject()
    return writer.bytes
  }

  func response(from request: Request, context: some RequestContext) throws -> Response {
    var fields = headers
    fields[.contentType] = "application/problem+json"
    return Response(status: status, headers: fields, body: .init(byteBuffer: ByteBuffer(bytes: json)))
  }
}
