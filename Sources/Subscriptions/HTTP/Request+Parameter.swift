import Hummingbird

extension Request {
  /// Refuses parameters where there are none: one that is misspelt must not pass for none.
  func takesNoParameter() throws {
    guard let other = uri.queryParameters.first else { return }
    throw Problem.badRequest("there is no parameter \(other.key.prefix(40)); this path takes none")
  }

  /// The value of the only parameter there is, once at most; nil where it was not given.
  func onlyParameter(_ name: String) throws -> String? {
    let parameters = uri.queryParameters
    if let other = parameters.first(where: { $0.key != name }) {
      throw Problem.badRequest("there is no parameter \(other.key.prefix(40)); `\(name)` is the only one")
    }
    guard parameters.count <= 1 else { throw Problem.badRequest("`\(name)` is given more than once") }
    return parameters.first.map { String($0.value) }
  }
}
