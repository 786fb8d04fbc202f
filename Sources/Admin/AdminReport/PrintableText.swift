extension String {
    /// Bytes of files and of other programs as text that a terminal does not obey.
    ///
    /// Control characters, and those that turn the direction of text, become `?`, and what is not UTF-8 becomes U+FFFD.
    package init(printable bytes: some Sequence<UInt8>) {
        let clean = bytes.map { $0 < 32 || $0 == 127 ? UInt8(ascii: "?") : $0 }
        self = String(decoding: clean, as: UTF8.self)
        // The C1 control characters, which have two bytes in UTF-8; U+202E lets "fdp.exe" be read as "exe.pdf".
        let isControl = { (scalar: Unicode.Scalar) in
            (0x80..<0xA0).contains(scalar.value) || (0x2028...0x202E).contains(scalar.value)
                || (0x2066...0x2069).contains(scalar.value)
        }
        guard unicodeScalars.contains(where: isControl) else { return }
        var kept = String.UnicodeScalarView()
        for scalar in unicodeScalars { kept.append(isControl(scalar) ? "?" : scalar) }
        self = String(kept)
    }
}
