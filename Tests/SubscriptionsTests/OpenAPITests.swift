import Foundation
import Testing
import Yams

@testable import Subscriptions

/// The description in the repository against a server that runs. What is read of it is not changed: hence `@unchecked`.
@Suite("docs/openapi.yaml")
struct OpenAPITests: @unchecked Sendable {
  private static let docs = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "docs")

  private let check: SchemaCheck
  private let paths: [String: Any]

  init() throws {
    let text = try String(contentsOf: Self.docs.appending(path: "openapi.yaml"), encoding: .utf8)
    let api = try #require(try Yams.load(yaml: text) as? [String: Any])
    let events = try JSONSerialization.jsonObject(
      with: Data(contentsOf: Self.docs.appending(path: "events.schema.json")))
    check = SchemaCheck(documents: ["": api, "events.schema.json": events])
    paths = try #require(api["paths"] as? [String: Any])
    #expect(api["openapi"] as? String == "3.1.0")
  }

  /// The schema of an answer, by its status and content type.
  private func described(_ path: String, _ status: Int, _ type: String) -> Any? {
    let get = (paths[path] as? [String: Any])?["get"] as? [String: Any]
    var response = (get?["responses"] as? [String: Any])?["\(status)"]
    if let reference = (response as? [String: Any])?["$ref"] as? String {
      response = check.resolve(reference, in: "")?.0
    }
    let content = (response as? [String: Any])?["content"] as? [String: Any]
    return (content?[type] as? [String: Any])?["schema"]
  }

  private func parsed(_ text: some StringProtocol) throws -> Any {
    try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
  }

  @Test("describes each path there is, and each answer is as described")
  func answers() async throws {
    let asked = [
      ("/v1/health", ""), ("/v1/slots", ""), ("/v1/slots/{slot}", ""), ("/v1/slots/{slot}/reads", "?key=42"),
      ("/v1/positions", ""), ("/v1/states", ""), ("/v1/events", "?after=earliest&limit=100"),
    ]
    #expect(Set(asked.map(\.0)) == Set(paths.keys))
    let wrong = [
      ("/v1/events", "?after=x"), ("/v1/events", "?after=0/1"), ("/v1/events", "?after=F/1"),
      ("/v1/events", "?slot=none"), ("/v1/positions", "?slot=none"), ("/v1/states", "?slot=none"),
      ("/v1/slots/{slot}/reads", "?key=unknown"), ("/v1/slots/{slot}/reads", "?x=1"),
    ]
    try await Served.withLog { served, log in
      try log.commit(3)
      try log.commit(1, status: "who knows")
      for status in ["AUTH", "CAPTURED"] { try log.move("7", status) }
      try log.correct()
      for (path, query) in asked + wrong {
        let answer = try await served.get(path.replacing("{slot}", with: "ledger") + query)
        let schema = try #require(
          described(path, answer.status, answer.type), "\(path)\(query): \(answer.status)")
        let documents = answer.body.split(separator: "\n")
        #expect(!documents.isEmpty)
        for document in documents {
          #expect(check.faults(try parsed(document), schema) == [], "\(path)\(query)")
        }
      }
      let sent = try await served.get("/v1/events?after=earliest&limit=1", "-H", "Accept: text/event-stream")
      #expect(described("/v1/events", 200, sent.type) != nil)
    }
  }

  @Test("the parameters of /v1/events are those that the server knows")
  func parameters() throws {
    let get = (paths["/v1/events"] as? [String: Any])?["get"] as? [String: Any]
    let names = try #require(get?["parameters"] as? [[String: Any]]).compactMap { parameter -> String? in
      let found = (parameter["$ref"] as? String).flatMap { check.resolve($0, in: "")?.0 } ?? parameter
      let described = found as? [String: Any]
      return described?["in"] as? String == "query" ? described?["name"] as? String : nil
    }
    #expect(names == EventRequest.parameters)
  }

  @Test("the check finds what is not described, missing, or of another type")
  func faults() throws {
    let schema = try #require(check.documents["events.schema.json"])
    let event = #"""
      {"specversion":"1.0","id":"0/1.0","source":"/x","type":"a.changed","datacontenttype":"application/json",
       "data":{"op":"update","state":null,"lsn":"0/1","ordinal":0}}
      """#
    #expect(check.faults(try parsed(event), schema, in: "events.schema.json") == [])
    for (part, other) in [
      ("\"op\":\"update\",", ""), ("1.0\"", "2.0\""), ("\"ordinal\":0", "\"ordinal\":\"0\""),
      ("\"op\"", "\"oq\""),
      ("a.changed", "a.b"), ("\"state\":null", "\"state\":7"),
    ] {
      let damaged = event.replacing(part, with: other)
      #expect(!check.faults(try parsed(damaged), schema, in: "events.schema.json").isEmpty, "\(damaged)")
    }
  }
}
