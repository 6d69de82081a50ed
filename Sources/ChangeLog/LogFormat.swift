/// The numbers of the on-disk format, version 1. The specification is `docs/change-log-format.md`.
enum LogFormat {
  /// The version this code writes and reads.
  static let version: UInt32 = 1

  /// Skippable LZ4 frames (`0x184D2A50`...`5F`), one magic number for each kind of ours.
  static let headerMagic: UInt32 = 0x184D_2A51
  static let announcementMagic: UInt32 = 0x184D_2A52
  static let indexMagic: UInt32 = 0x184D_2A53

  /// Magic number and length, both little-endian, before a skippable frame's payload.
  static let framePrefix = 8

  /// Length and walStart before a record's payload.
  static let recordPrefix = 12

  /// What one data frame may hold, uncompressed. PostgreSQL's messages are under 1 GiB (`MaxAllocSize`); a group
  /// is at most one such message more than its usual size.
  static let groupLimit = (1 << 30) + (16 << 20)

  /// LZ4's best ratio: what claims to grow more than this is not LZ4.
  static let expansionLimit = 255

  /// Stored bytes between two entries of the sparse index.
  static let indexStride: UInt64 = 256 << 10
}
