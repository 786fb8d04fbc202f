import ByteText
import MailFormat

/// A message of the self-test: a sentence, and for the marked one a file that scanners must find.
package struct TestMessage: Sendable {
    /// What the admin calls it.
    package enum Kind: String, Sendable { case clean, marked }

    /// Which of the two it is.
    package let kind: Kind
    /// A word that only this message has, in its `Message-ID`.
    package let token: String
    /// The attached file; nil in the clean message.
    package let attachment: [UInt8]?

    /// A clean message.
    package init(cleanWithToken token: String) {
        self.init(kind: .clean, token: token, attachment: nil)
    }

    /// A message with a file that scanners must find.
    package init(markedBy attachment: [UInt8], token: String) {
        self.init(kind: .marked, token: token, attachment: attachment)
    }

    private init(kind: Kind, token: String, attachment: [UInt8]?) {
        self.kind = kind
        self.token = token
        self.attachment = attachment
    }

    /// EICAR's test file, which every scanner must find: made here, from its letters in reverse, so that
    /// none finds it in this program.
    package static var standardMarker: [UInt8] {
        Array(#"*H+H$!ELIF-TSET-SURIVITNA-DRADNATS-RACIE$}7)CC7)^P(45XZP\4[PA@%P!O5X"#.utf8)
            .reversed()
    }

    /// The message with CR LF, dots doubled, and the dot that ends it; see RFC 5321 §4.5.2.
    ///
    /// - Parameters:
    ///   - sender: For its field `From`.
    ///   - recipient: For its field `To`.
    ///   - date: Seconds since 1970.
    /// - Returns: What follows the reply to DATA.
    func wireForm(sender: String, recipient: String, date: Int) -> [UInt8] {
        var lines = [
            "From: <\(sender.isEmpty ? "selftest@localhost" : sender)>", "To: <\(recipient)>",
            "Subject: QHPSI self-test, \(kind.rawValue) message",
            "Date: " + String(decoding: MailDate.rfc5322(seconds: date), as: UTF8.self),
            "Message-ID: <\(token)@selftest.qhpsi>", "MIME-Version: 1.0",
        ]
        let sentence = "This message was sent by qhpsictl selftest and can be deleted."
        if let attachment {
            lines += [
                "Content-Type: multipart/mixed; boundary=\"\(token)\"", "", "--\(token)",
                "Content-Type: text/plain; charset=us-ascii", "", sentence, "--\(token)",
                "Content-Type: application/octet-stream; name=\"sample.bin\"",
                "Content-Transfer-Encoding: base64",
                "Content-Disposition: attachment; filename=\"sample.bin\"", "",
            ]
            lines += Base64.lines(attachment) + ["--\(token)--"]
        } else {
            lines += ["Content-Type: text/plain; charset=us-ascii", "", sentence]
        }
        let stuffed = lines.map { $0.hasPrefix(".") ? "." + $0 : $0 }
        return Array((stuffed + [".", ""]).joined(separator: "\r\n").utf8)
    }
}

/// The encoding base64 of MIME; see RFC 2045 §6.8.
enum Base64 {
    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// Lines of 76 characters, the last perhaps shorter.
    static func lines(_ bytes: [UInt8]) -> [String] {
        stride(from: 0, to: bytes.count, by: 57).map { start in
            line(bytes[start..<min(start + 57, bytes.count)])
        }
    }

    private static func line(_ bytes: ArraySlice<UInt8>) -> String {
        var text: [UInt8] = []
        var rest = bytes
        while !rest.isEmpty {
            let three = Array(rest.prefix(3))
            rest = rest.dropFirst(3)
            let padded = three + [UInt8](repeating: 0, count: 3 - three.count)
            let bits = padded.reduce(0) { $0 << 8 | Int($1) }
            for i in 0...three.count { text.append(alphabet[bits >> (18 - 6 * i) & 63]) }
            text += [UInt8](repeating: UInt8(ascii: "="), count: 3 - three.count)
        }
        return String(decoding: text, as: UTF8.self)
    }
}
