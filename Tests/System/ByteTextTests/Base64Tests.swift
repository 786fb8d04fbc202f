import ByteText
import Testing

/// RFC 4648 §10, and bytes of every kind.
@Test(
    arguments: [
        ("", []), ("Zg==", [102]), ("Zm8=", [102, 111]), ("Zm9v", [102, 111, 111]),
        ("Zm9vYg==", [102, 111, 111, 98]), ("AAAA", [0, 0, 0]), ("////", [255, 255, 255]),
        ("+/8=", [251, 255]), ("gA==", [128]),
    ] as [(String, [UInt8])])
func `base64 is read`(text: String, bytes: [UInt8]) {
    #expect(Base64.decoded(Array(text.utf8)) == bytes)
}

@Test(
    arguments: [
        "Z", "Zg", "Zg=", "Zg===", "Zm8", "Zm9v=", "====", "=", "==", "Z===", "Zg==Zg==", "Z=g=",
        "Zh==", "Zm9=", "Zm9v\r", " Zg==", "Zg== ", "Zm9v\nZg==", "Zm-_", "Zm9\u{e9}", "Zm\u{1}v",
        "*", "Zg==\t\t\t\t", "Z g=",
    ])
func `base64 that is malformed in any way is nothing`(text: String) {
    #expect(Base64.decoded(Array(text.utf8)) == nil)
}

@Test func `of all texts of four bytes as many are base64 as there are values`() {
    // Each of the first two digits stands for eight, to keep it short.
    let digits = Array("AQgwEUk4".utf8)
    var values: Set<[UInt8]> = []
    var count = 0
    for first in digits {
        for second in digits {
            for third in UInt8.min...UInt8.max {
                for fourth in UInt8.min...UInt8.max {
                    guard let value = Base64.decoded([first, second, third, fourth]) else {
                        continue
                    }
                    count += 1
                    values.insert(value)
                }
            }
        }
    }
    // 64 × 64 of three bytes, 16 of two, and one of one byte where the second digit has no odd bits.
    let odd = digits.count { "EUk4".utf8.contains($0) }
    #expect(count == 64 * (64 * 64 + 16) + 8 * (8 - odd))
    #expect(values.count == count)
}
