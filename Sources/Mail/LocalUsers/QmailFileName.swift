import ByteText

/// The names that the .qmail file of an extension may have, in a home folder; see dot-qmail(5).
package struct QmailFileName: Equatable, Sendable {
    /// The file's name.
    package let name: [UInt8]
    /// Where in the extension that begins which the name's `default` stands for; nil when it stands for nothing.
    package let defaultStart: Int?

    /// All of them, in the order in which they are tried.
    ///
    /// First the extension's own, then one with `default` for each end of it that begins behind a hyphen, the
    /// shortest end first, and for the whole. A user without an extension has only `.qmail`. Letters are in lower
    /// case; dots and slashes are colons, so that no name leads out of the folder.
    package static func candidates(dash: [UInt8], ext: [UInt8]) -> [QmailFileName] {
        let start = [UInt8](".qmail") + dash
        let safe = safe(ext)
        // One that ends in `default` itself has a file of that name.
        let ownDefault = safe.suffix(7).elementsEqual([UInt8]("default")) ? safe.count - 7 : nil
        var all = [QmailFileName(name: start + safe, defaultStart: ownDefault)]
        if dash.isEmpty, ext.isEmpty { return all }
        for end in stride(from: safe.count, through: 0, by: -1)
        where end == 0 || safe[end - 1] == UInt8(ascii: "-") {
            let name = start + safe[..<end] + [UInt8]("default")
            all.append(QmailFileName(name: name, defaultStart: end))
        }
        return all
    }

    /// The name with something behind the extension, for instance `-owner`.
    package static func name(dash: [UInt8], ext: [UInt8], then end: StaticString) -> [UInt8] {
        [UInt8](".qmail") + dash + safe(ext) + [UInt8](end)
    }

    private static func safe(_ ext: [UInt8]) -> [UInt8] {
        ext.map { byte in
            byte == UInt8(ascii: ".") || byte == UInt8(ascii: "/")
                ? UInt8(ascii: ":") : byte.lowercased
        }
    }
}
