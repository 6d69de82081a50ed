import Hummingbird
import Logging

/// Lets nobody in without a token, where tokens are asked for.
struct Authorization: RouterMiddleware {
  let tokens: TokenFile?

  func handle(
    _ request: Request, context: SlotContext, next: (Request, SlotContext) async throws -> Response
  ) async throws -> Response {
    guard let tokens, request.uri.path != Routes.health else { return try await next(request, context) }
    // One header, one scheme; a token in the query would stand in every proxy's log.
    guard let header = request.headers[.authorization], header.utf8.count <= 512,
      header.prefix(7).lowercased() == "bearer ",
      let holder = tokens.current.holder(of: header.dropFirst(7).utf8)
    else { throw Problem.unauthorized }
    var known = context
    known.holder = holder
    return try await next(request, known)
  }
}

/// Makes a problem document of whatever goes wrong, and tells the client nothing that is not his.
struct Problems: RouterMiddleware {
  func handle(
    _ request: Request, context: SlotContext, next: (Request, SlotContext) async throws -> Response
  ) async throws -> Response {
    do {
      return try await next(request, context)
    } catch {
      let response = try problem(error, request, context).response(from: request, context: context)
      // The answer to HEAD has no body, whatever it says of its length.
      return request.method == .head ? response.createHeadResponse() : response
    }
  }

  private func problem(_ error: any Error, _ request: Request, _ context: SlotContext) -> Problem {
    switch error {
    case let problem as Problem: return problem
    case let error as HTTPError where error.status == .notFound:
      let isRead = request.method == .get || request.method == .head
      return !isRead && Routes.has(request.uri.path) ? .notThatMethod : .noSuchPath
    case let error as any HTTPResponseError:
      return Problem(
        status: error.status, title: error.status.reasonPhrase.lowercased(),
        detail: "the request cannot be served as it is")
    default:
      context.logger.error(
        "a request failed", metadata: ["path": "\(request.uri.path)", "error": "\(error)"])
      return Problem(
        status: .internalServerError, title: "an unexpected error",
        detail: "the server's log tells more; the same request may succeed later")
    }
  }
}
