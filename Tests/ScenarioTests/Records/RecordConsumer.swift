import PGOutput
import Postgres

/// Takes what a stream or a log holds, message by message.
protocol RecordConsumer {
  /// Takes the next message.
  mutating func take(_ payload: RawSpan, format: StreamFormat) throws

  /// The server has ended the stream with an error.
  mutating func serverError(_ error: ServerError)
}
