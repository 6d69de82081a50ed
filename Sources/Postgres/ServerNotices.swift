import CLibPQ

/// What a server says beside its answers. All of it is passed over but one: from 18 on a stream whose publication is not
/// there goes on without it, with no more than a warning (`pgoutput.c LoadPublications`; up to 17 that is an error).
final class ServerNotices {
  static let purpose = "read a publication's changes"

  /// The warning that a publication was passed over, and its changes with it.
  private(set) var publicationMissing: ServerError?

  /// Listens to a session. The session must not outlive this.
  func listen(to handle: OpaquePointer) {
    _ = PQsetNoticeReceiver(
      handle,
      { argument, result in
        guard let argument, let result else { return }
        Unmanaged<ServerNotices>.fromOpaque(argument).takeUnretainedValue().take(result)
      }, Unmanaged.passUnretained(self).toOpaque())
  }

  private func take(_ result: OpaquePointer) {
    // The function's name is not translated; the message may be.
    guard publicationMissing == nil, let function = PQresultErrorField(result, Int32(UInt8(ascii: "R"))),
      String(cString: function) == "LoadPublications"
    else { return }
    publicationMissing = ServerError(result, purpose: Self.purpose)
  }
}

extension PostgresError {
  /// Whether a stream found a publication missing: an error of the server up to 17, a warning that we end it for from 18.
  public var isPublicationMissing: Bool {
    guard case .server(let cause) = self else { return false }
    return cause.purpose == ServerNotices.purpose
      || cause.sqlState == .undefinedObject && cause.message.contains("publication")
  }
}
