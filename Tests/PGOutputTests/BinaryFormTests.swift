import PGOutput
import Testing

@Suite("Binary forms as text") struct BinaryFormTests {
  private func text(_ form: BinaryForm, _ bytes: [UInt8]) -> String? {
    var utf8 = Array("=".utf8)
    guard form.appendText(of: bytes.rawBytes, to: &utf8) else {
      #expect(utf8 == Array("=".utf8), "what is not of the form appends nothing")
      return nil
    }
    return String(decoding: utf8.dropFirst(), as: UTF8.self)
  }

  private func big<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    (0..<Number.bitWidth / 8).reversed().map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
  }

  @Test("integers to their ends")
  func integers() {
    #expect(text(.int16, [0x80, 0x00]) == "-32768")
    #expect(text(.int32, [0x7F, 0xFF, 0xFF, 0xFF]) == "2147483647")
    #expect(text(.int64, big(Int64.min)) == "-9223372036854775808")
    #expect(text(.oid, [0xFF, 0xFF, 0xFF, 0xFF]) == "4294967295")
  }

  @Test("texts are their bytes, and bytes are hex")
  func texts() {
    #expect(text(.text, Array("caf\u{E9} ".utf8)) == "caf\u{E9} ")
    #expect(text(.text, []) == "")
    #expect(text(.bytes, [0x00, 0xAF, 0x5C]) == "\\x00af5c")
    #expect(text(.bytes, []) == "\\x")
    #expect(text(.character, [0]) == "")
    #expect(text(.character, [0x41]) == "A")
    #expect(text(.character, [0xE9]) == "\\351")
    #expect(text(.boolean, [1]) == "t")
    #expect(
      text(.uuid, Array(0...15)) == "00010203-0405-0607-0809-0a0b0c0d0e0f")
  }

  @Test("days and moments, with their infinities, leap days, fractions and years before 1")
  func times() {
    #expect(text(.date, big(Int32(0))) == "2000-01-01")
    #expect(text(.date, big(Int32(59))) == "2000-02-29")
    #expect(text(.date, big(Int32(-730_119))) == "0001-01-01")
    #expect(text(.date, big(Int32(-730_120))) == "0001-12-31 BC")
    #expect(text(.date, big(Int32.max)) == "infinity")
    #expect(text(.timestamp, big(Int64.min)) == "-infinity")
    #expect(text(.timestamp, big(Int64(-1))) == "1999-12-31 23:59:59.999999")
    #expect(text(.timestamp, big(Int64(500_000))) == "2000-01-01 00:00:00.5")
    #expect(text(.timestampWithZone, big(Int64(86_399_000_000))) == "2000-01-01 23:59:59+00")
    #expect(
      text(.timestampWithZone, big(Int64(-730_120) * 86_400_000_000)) == "0001-12-31 00:00:00+00 BC")
  }

  private func numeric(_ weight: Int16, _ sign: UInt16, _ scale: UInt16, _ digits: [UInt16]) -> [UInt8] {
    big(UInt16(digits.count)) + big(UInt16(bitPattern: weight)) + big(sign) + big(scale)
      + digits.flatMap { big($0) }
  }

  @Test("numbers of any length, their point where it was, and what is none")
  func numerics() {
    #expect(text(.numeric, numeric(0, 0, 0, [])) == "0")
    #expect(text(.numeric, numeric(0, 0, 2, [])) == "0.00")
    #expect(text(.numeric, numeric(1, 0x4000, 3, [12, 345, 6000])) == "-120345.600")
    #expect(text(.numeric, numeric(2, 0, 0, [1])) == "100000000")
    #expect(text(.numeric, numeric(-2, 0, 8, [42])) == "0.00000042")
    #expect(text(.numeric, numeric(-1, 0, 1, [9999])) == "0.9")
    #expect(text(.numeric, numeric(0, 0xC000, 0, [])) == "NaN")
    #expect(text(.numeric, numeric(0, 0xD000, 0, [])) == "Infinity")
    #expect(text(.numeric, numeric(0, 0xF000, 0, [])) == "-Infinity")
  }

  @Test("bytes of another length or range are not of the form", arguments: BinaryForm.allCases)
  func malformed(form: BinaryForm) {
    for count in 0...17 {
      // Never a trap, whatever the bytes are.
      _ = text(form, Array(repeating: 0xFF, count: count))
    }
    guard form != .text, form != .bytes else { return }
    #expect(text(form, Array(repeating: 0, count: 3)) == nil)
    #expect(text(form, []) == nil)
  }

  @Test("a boolean of two, a digit past 9999 and an unknown sign are refused")
  func ranges() {
    #expect(text(.boolean, [2]) == nil)
    #expect(text(.numeric, numeric(0, 0, 0, [10_000])) == nil)
    #expect(text(.numeric, numeric(0, 0x1234, 0, [1])) == nil)
    #expect(text(.numeric, numeric(0, 0, 0, [1]) + [0]) == nil)
  }
}
