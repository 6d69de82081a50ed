import Hummingbird
import PGOutput

/// What there is to ask for.
struct Routes: Sendable {
  static let health = "/v1/health"

  let slots: [ServedSlot]
  let events: EventRoutes

  /// Whether there is something at a path, for one who asks rightly.
  static func has(_ path: String) -> Bool {
    let parts = path.split(separator: "/")
    guard parts.first == "v1" else { return false }
    switch parts.count {
    case 2: return ["health", "slots", "events", "positions", "states"].contains(parts[1])
    case 3: return parts[1] == "slots"
    case 4: return parts[1] == "slots" && parts[3] == "reads"
    default: return false
    }
  }

  func router(_ plan: ServePlan, _ tokens: TokenFile?) -> Router<SlotContext> {
    let router = Router(context: SlotContext.self, options: .autoGenerateHeadEndpoints)
    router.addMiddleware {
      Problems()
      LocalHost(plan)
      Authorization(tokens: tokens)
    }
    router.get("v1/health") { request, _ in
      try request.takesNoParameter()
      return Self.json { $0.member("status", "ok") }
    }
    router.get("v1/slots") { request, context in
      try request.takesNoParameter()
      return Self.json { writer in
        writer.key("slots")
        writer.beginArray()
        for slot in self.slots where context.allows(slot.name) { writer.string(slot.name) }
        writer.endArray()
      }
    }
    router.get("v1/slots/:slot") { request, context in
      let slot = try self.slot(context)
      try request.takesNoParameter()
      return Self.response(Array(slot.status().utf8))
    }
    router.get("v1/slots/:slot/reads") { request, context in
      let slot = try self.slot(context)
      let key = try request.onlyParameter("key")
      let answer: ReadsAnswer
      do throws(ReadsUnknown) {
        answer = try slot.reads(key)
      } catch {
        throw Problem(
          status: .serviceUnavailable, title: "not known",
          detail:
            "which column is to be read is not known now: \(error.reason); go by the last answer, and ask again"
        )
      }
      return Self.json { writer in
        writer.member("slot", slot.name)
        writer.key("new")
        writer.boolean(answer.new)
        writer.key("percent")
        writer.integer(answer.percent)
      }
    }
    events.add(to: router)
    return router
  }

  private func slot(_ context: SlotContext) throws -> ServedSlot {
    let name = try context.parameters.require("slot")
    guard let slot = slots.first(where: { $0.name == name }), context.allows(slot.name) else {
      throw Problem.noSuchSlot(String(name.prefix(80)))
    }
    return slot
  }

  static func json(_ body: (inout JSONWriter) -> Void) -> Response {
    var writer = JSONWriter()
    writer.beginObject()
    body(&writer)
    writer.endObject()
    return response(writer.bytes)
  }

  private static func response(_ json: [UInt8]) -> Response {
    Response(
      status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-store"],
      body: .init(byteBuffer: ByteBuffer(bytes: json + [UInt8(ascii: "\n")])))
  }
}

extension JSONWriter {
  mutating func member(_ name: String, _ value: String) {
    key(name)
    string(value)
  }
}
