/// libpq's connection keywords (`PQconninfoOptions` of 13 to 18), sorted by whether their values may be shown.
enum LibpqKeyword {
  static let harmless: Set<String> = [
    "host", "hostaddr", "port", "dbname", "user", "application_name", "fallback_application_name",
    "connect_timeout", "client_encoding", "sslmode", "sslnegotiation", "sslcert", "sslkey", "sslrootcert",
    "sslcrl", "sslcrldir", "sslsni", "sslcertmode", "ssl_min_protocol_version", "ssl_max_protocol_version",
    "requiressl", "sslcompression", "gssencmode", "krbsrvname", "gsslib", "gssdelegation", "channel_binding",
    "require_auth", "requirepeer", "target_session_attrs", "load_balance_hosts", "keepalives",
    "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout", "replication",
    "service",
    "passfile", "min_protocol_version", "max_protocol_version", "sslkeylogfile", "servicefile",
    "oauth_issuer", "oauth_client_id", "oauth_scope",
  ]

  /// `options` is among them since it may set anything.
  static let secret: Set<String> = [
    "password", "sslpassword", "options", "oauth_client_secret", "scram_client_key", "scram_server_key",
  ]
}
