import ChangeLog
import Derivation
import Events
import HTTPTypes
import Hummingbird
import PGOutput

/// `/v1/events`, `/v1/positions` and `/v1/states`.
struct EventRoutes: Sendable {
  let hubs: [EventHub]

  func add(to router: Router<SlotContext>) {
    router.get("v1/events") { request, context in try await events(request, context) }
    router.get("v1/positions") { request, context in try await positions(request, context) }
    router.get("v1/states") { request, context in try states(request, context) }
  }

  private func events(_ request: Request, _ context: SlotContext) async throws -> Response {
    let asked = try EventRequest(request)
    let hub = try hub(asked.slot, context)
    let map = try Self.map(hub)
    let found = await hub.pool.run { [source = hub.source] in
      Result { () throws(ChangeLogError) -> (EventPlan, Position)? in
        guard let plan = try source.plan() else { return nil }
        return (plan, try asked.start.position(in: source.log))
      }
    }
    guard let (plan, after) = try Self.value(found) else { throw Problem.noLog }
    var headers: HTTPFields = [
      .contentType: asked.framing == .serverSent ? "text/event-stream" : "application/x-ndjson",
      .cacheControl: "no-store", .vary: "Accept, Accept-Encoding", .position: "\(after)",
    ]
    if asked.isCompressed { headers[.contentEncoding] = "gzip" }
    if request.method == .head { return Response(status: .ok, headers: headers) }
    let peer = try await context.channel.peer()
    let (channel, holder, logger) = (context.channel, context.holder, context.logger)
    return Response(
      status: .ok, headers: headers,
      body: ResponseBody { writer in
        // Not before it is written: a client that has gone by then is no subscriber.
        let stream = EventStream(
          hub: hub,
          session: EventSession(
            asked, source: hub.source, recent: hub.recent, plan: plan, map: map, after: after),
          entry: hub.book.add(holder: holder, peer: context.peer, slot: hub.slot, position: after) {
            channel.close(promise: nil)
          },
          peer: peer, wait: asked.wait, logger: logger)
        try await stream.run(&writer)
      })
  }

  private func positions(_ request: Request, _ context: SlotContext) async throws -> Response {
    let hub = try hub(try request.onlyParameter("slot"), context)
    let found = await hub.pool.run { [log = hub.source.log] in
      Result { () throws(ChangeLogError) -> (LSN, LSN?)? in
        try log.bounds().map { ($0.start, log.tail?.durable?.watermark ?? $0.watermark) }
      }
    }
    guard let (first, last) = try Self.value(found) else { throw Problem.noLog }
    return Routes.json { writer in
      writer.member("slot", hub.slot)
      writer.member("earliest", "\(first)")
      writer.key("latest")
      if let last { writer.string("\(last)") } else { writer.null() }
    }
  }

  private func states(_ request: Request, _ context: SlotContext) throws -> Response {
    let hub = try hub(try request.onlyParameter("slot"), context)
    let map = try Self.map(hub)
    return Routes.json { writer in
      writer.member("slot", hub.slot)
      writer.key("states")
      writer.beginArray()
      for row in map.rows {
        guard let id = row.id, let code = row.code else { continue }
        writer.beginObject()
        writer.key("id")
        writer.text(id.bytes.rawBytes)
        writer.key("code")
        writer.text(code.bytes.rawBytes)
        writer.key("status")
        if let status = row.status { writer.text(status.bytes.rawBytes) } else { writer.null() }
        writer.endObject()
      }
      writer.endArray()
    }
  }

  /// The slot that was named or, where the token is for one alone, that one.
  private func hub(_ name: String?, _ context: SlotContext) throws -> EventHub {
    let allowed = hubs.filter { context.allows($0.slot) }
    if let name {
      guard let hub = allowed.first(where: { $0.slot == name }) else {
        throw Problem.noSuchSlot(String(name.prefix(80)))
      }
      return hub
    }
    guard let hub = allowed.first else {
      throw Problem(
        status: .notFound, title: "no such slot", detail: "this server has no events for this token")
    }
    guard allowed.count == 1 else {
      throw Problem.badRequest("there are several slots; name one: `slot=\(hub.slot)`")
    }
    return hub
  }

  private static func map(_ hub: EventHub) throws -> StateMap {
    guard let map = hub.source.map() else {
      throw Problem(
        status: .serviceUnavailable, title: "not known",
        detail: "the map of states has not been read from the target yet; try again in a few seconds")
    }
    return map
  }

  private static func value<Value>(_ result: Result<Value, ChangeLogError>) throws -> Value {
    switch result {
    case .success(let value): return value
    case .failure(.pruned(_, let first)):
      throw Problem(
        status: .gone, title: "no longer held",
        detail:
          "the log begins at \(first): what ended before it was dropped. Go on with after=\(first), or with "
          + "after=earliest, and take what is missing from the ledger",
        members: [("first", "\(first)")])
    case .failure(.aheadOfLog(let asked, let end)):
      throw Problem(
        status: .conflict, title: "ahead of the log",
        detail:
          "\(asked) is not in the log, which ends at \(end): the position is of another log, or this one was "
          + "made anew",
        members: [("last", "\(end)")])
    case .failure(.noLog): throw Problem.noLog
    case .failure(let error): throw error
    }
  }
}

extension Problem {
  static let noLog = Problem(
    status: .serviceUnavailable, title: "no log yet",
    detail: "the slot's log has not been begun; try again in a few seconds")
}
