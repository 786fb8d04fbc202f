import ByteText
package import Posix

/// Why settings could not be read; always temporary, for mail must wait until the postmaster mends it.
package enum ControlFailure: Error {
    /// The file could not be read.
    case unreadable(path: [UInt8], Errno)
    /// The file's text is not what its manual page asks for.
    case malformed(path: [UInt8], expected: StaticString)

    /// What to log: which file and what is wrong with it.
    package var text: [UInt8] {
        switch self {
        case .unreadable(let path, let reason):
            Array("unable to read ".utf8) + path + Array(": ".utf8) + reason.text
        case .malformed(let path, let expected):
            path + Array(": expected ".utf8) + [UInt8](expected)
        }
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
            return try Files.contents(path, limit: 16 << 20)
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
        return contents.lines.map { $0.trimmed }.filter {
            !$0.isEmpty && $0.first != UInt8(ascii: "#")
        }
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
            throw .malformed(path: path(name), expected: "a number in decimal digits")
        }
        return number
    }
}
