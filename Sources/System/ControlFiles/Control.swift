package import ByteText
package import Posix

/// Why settings could not be read; always temporary, for mail must wait until the postmaster mends it.
package enum ControlFailure: Error {
    /// The file could not be read.
    case unreadable(path: [UInt8], Errno)
    /// The file's text, or this line of it, is not what its manual page asks for.
    case malformed(path: [UInt8], line: ControlLine? = nil, expected: StaticString)

    /// The most bytes of a line that are shown.
    private static let shownLimit = 200

    /// What to log: which file, what is wrong with it, and what stands there.
    package var text: [UInt8] {
        switch self {
        case .unreadable(let path, let reason):
            return Array("unable to read ".utf8) + path + Array(": ".utf8) + reason.text
        case .malformed(let path, let line, let expected):
            let place = line.map { [UInt8(ascii: ":")] + [UInt8](decimal: $0.number) } ?? []
            let text = path + place + Array(": expected ".utf8) + [UInt8](expected)
            guard let line, !line.text.isEmpty else { return text }
            return text + Array(": ".utf8) + Array(line.text.prefix(Self.shownLimit)).singleLine
        }
    }
}

/// A line of a control file.
package struct ControlLine: Sendable {
    /// Counted from 1.
    package let number: Int
    /// Without blanks at its ends.
    package let text: [UInt8]

    /// A line with its number.
    package init(number: Int, text: [UInt8]) {
        self.number = number
        self.text = text
    }
}

/// The files of a control folder, in qmail's form; see qmail-control(5).
package struct Control: Sendable {
    /// Absolute path of the folder, without a slash at its end.
    package let directory: [UInt8]
    /// What a server has said of the files; nil: nothing.
    package let image: ControlImage?

    /// The files of a folder.
    package init(directory: [UInt8], image: ControlImage? = nil) {
        self.directory = directory
        self.image = image
    }

    /// The files of an instance.
    package init(of instance: Instance) { self.init(directory: instance.control) }

    private func path(_ name: StaticString) -> [UInt8] {
        directory + [UInt8(ascii: "/")] + [UInt8](name)
    }

    /// Path of a file that is looked up by another library, for instance a cdb.
    package func file(_ name: StaticString) -> [UInt8] { path(name) }

    /// Whether there is a file of this name, or something that cannot be looked at; see lstat(2).
    package func has(_ name: StaticString) -> Bool {
        if let image { return image.has([UInt8](name)) }
        do throws(Errno) {
            _ = try FileStatus(of: path(name))
            return true
        } catch {
            return error != .noSuchFile
        }
    }

    private func contents(_ name: StaticString) throws(ControlFailure) -> [UInt8]? {
        let path = path(name)
        switch image?.answer([UInt8](name), at: path) {
        case .absent: return nil
        case .text(let bytes): return bytes
        case .lines, .unknown, nil: return try read(path)
        }
    }

    private func read(_ path: [UInt8]) throws(ControlFailure) -> [UInt8]? {
        do throws(Errno) {
            return try Files.text(path, limit: 16 << 20)
        } catch {
            if error == .noSuchFile { return nil }
            throw .unreadable(path: path, error)
        }
    }

    /// The first line without blanks at its ends; nil when the file does not exist.
    package func line(_ name: StaticString) throws(ControlFailure) -> [UInt8]? {
        guard let contents = try contents(name) else { return nil }
        return contents.lines.first?.trimmed ?? []
    }

    /// The lines without blanks at their ends, without empty ones and those that start with #.
    ///
    /// Nil when the file does not exist.
    package func lines(_ name: StaticString) throws(ControlFailure) -> [[UInt8]]? {
        guard let contents = try contents(name) else { return nil }
        return contents.lines.map { $0.trimmed }.filter { Self.counts($0) }
    }

    /// The same lines with their numbers, for a reader who may find fault with one.
    package func numberedLines(_ name: StaticString) throws(ControlFailure) -> [ControlLine]? {
        guard let contents = try contents(name) else { return nil }
        var lines: [ControlLine] = []
        for (i, line) in contents.lines.enumerated() {
            let text = line.trimmed
            if Self.counts(text) { lines.append(ControlLine(number: i + 1, text: text)) }
        }
        return lines
    }

    private static func counts(_ line: [UInt8]) -> Bool {
        !line.isEmpty && line.first != UInt8(ascii: "#")
    }

    /// The fault of a line, as this folder's reader says it.
    package func flaw(
        _ name: StaticString, _ line: ControlLine, expected: StaticString
    ) -> ControlFailure {
        .malformed(path: path(name), line: line, expected: expected)
    }

    /// The lines as `lines` gives them, to be asked about; nil when the file does not exist.
    ///
    /// The only way to look at a file of many lines that costs a session nothing.
    package func list(_ name: StaticString) throws(ControlFailure) -> ControlList? {
        let path = path(name)
        switch image?.answer([UInt8](name), at: path) {
        case .absent: return nil
        case .text(let bytes): return ControlList(bytes)
        case .lines(let lines): return ControlList(lines)
        case .unknown, nil: return try read(path).map { ControlList($0) }
        }
    }

    /// The number on the first line; nil when the file does not exist or its first line is empty.
    package func number(_ name: StaticString) throws(ControlFailure) -> Int? {
        guard let line = try line(name), !line.isEmpty else { return nil }
        guard let number = line.decimalValue else {
            throw flaw(
                name, ControlLine(number: 1, text: line), expected: "a number in decimal digits")
        }
        return number
    }

    /// Whether the first line is 1; everything else, and no file, is a no.
    package func isOn(_ name: StaticString) throws(ControlFailure) -> Bool {
        try line(name)?.equals("1") ?? false
    }

    /// The server's name on the first line; nil when the file does not exist or its first line is empty.
    package func serverName(_ name: StaticString) throws(ControlFailure) -> [UInt8]? {
        guard let line = try line(name), !line.isEmpty else { return nil }
        guard line.allSatisfy({ $0 > 32 && $0 < 127 }) else {
            throw flaw(
                name, ControlLine(number: 1, text: line), expected: "the name of this server")
        }
        return line
    }

    /// The addresses of IPv4 and IPv6 on the lines; none when the file does not exist.
    package func addresses(_ name: StaticString) throws(ControlFailure) -> [IPAddress] {
        var addresses: [IPAddress] = []
        for line in try numberedLines(name) ?? [] {
            guard let address = IPAddress(line.text) else {
                throw flaw(name, line, expected: "an IPv4 or IPv6 address")
            }
            addresses.append(address)
        }
        return addresses
    }
}
