import ByteText
package import Posix

/// The image of control files as they are now, for a server that starts many sessions; see `ControlImage`.
///
/// A look at the files once a second tells whether they have changed. Until a change is some seconds old the image is
/// the one of before, which sessions do not believe about what has changed.
package final class CurrentControlImage {
    /// A file outside the folder.
    package struct Other {
        /// Its path.
        package let path: [UInt8]
        /// Its bytes → its lines, sorted, or nil when sessions must read the file; see `SortedLines`.
        package let lines: ([UInt8]) -> [UInt8]?

        /// A file whose lines are made so.
        package init(path: [UInt8], lines: @escaping ([UInt8]) -> [UInt8]?) {
            self.path = path
            self.lines = lines
        }
    }

    private let directory: [UInt8]
    private let others: [Other]
    private var image: FileDescriptor?
    /// What the image was made of.
    private var known: [(path: [UInt8], version: FileVersion)] = []
    private var nextLook: Deadline?

    private static let pause = 1000
    /// As much of one file as `Control` reads, and of a file of users.
    private static let sizeLimit = 16 << 20
    private static let otherSizeLimit = 64 << 20
    /// A longer file is one of lines of which few are asked for.
    private static let textLimit = 4096
    private static let totalLimit = 256 << 20

    /// The image of a control folder, and of files elsewhere.
    package init(directory: [UInt8], others: [Other]) {
        self.directory = directory
        self.others = others
    }

    /// Its descriptor, until the next question; nil when there is none, and sessions must read the files.
    package func descriptor() -> Int32? {
        if nextLook?.hasPassed ?? true {
            nextLook = Deadline(milliseconds: Self.pause)
            refresh()
        }
        return image?.rawValue
    }

    private func refresh() {
        do throws(Errno) {
            if image != nil, try isCurrent() { return }
        } catch {
            // One of them has gone.
        }
        do throws(Errno) {
            guard let draft = try draft() else { return }
            image = try SealedMemory.descriptor(of: draft.bytes)
            known = draft.sources
        } catch {
            image = nil
            known = []
        }
    }

    private func isCurrent() throws(Errno) -> Bool {
        for (path, version) in known where try FileVersion(of: path) != version { return false }
        return true
    }

    /// Read all of it; nil when something has changed just now.
    private func draft() throws(Errno) -> Draft? {
        let folder = try FileVersion(of: directory)
        let isLocal = try FileDescriptor.open(directory, .readDirectory).isOnLocalFileSystem()
        guard isLocal, folder.isSettled else { return nil }
        let names = try Files.names(in: directory)
        guard names.count + others.count <= ControlImage.Layout.mostEntries else { return nil }
        // Certificates and databases are read by libraries.
        let files = names.filter { !$0.contains(UInt8(ascii: ".")) }.map {
            (name: $0, path: path($0))
        }
        // Before anything long is read.
        for path in files.map({ $0.path }) + others.map({ $0.path }) where !isSettled(path) {
            return nil
        }
        var draft = Draft(directory, folder)
        for name in names where name.contains(UInt8(ascii: ".")) { draft.add(name) }
        for (name, path) in files {
            let found = contents(path, min(Self.sizeLimit, Self.totalLimit - draft.size))
            guard let found else {
                draft.add(name)
                continue
            }
            let isLong = found.text.count > Self.textLimit
            draft.add(
                name, isLong ? .lines : .text,
                isLong ? ControlList.sorted(found.text) : found.text, (path, found.version))
        }
        for other in others {
            let limit = min(Self.otherSizeLimit, Self.totalLimit - draft.size)
            guard let found = contents(other.path, limit), let lines = other.lines(found.text)
            else {
                draft.add(other.path)
                continue
            }
            draft.add(other.path, .lines, lines, (other.path, found.version))
        }
        return try FileVersion(of: directory) == folder ? draft : nil
    }

    private func path(_ name: [UInt8]) -> [UInt8] { directory + [UInt8(ascii: "/")] + name }

    /// Whether a file has its version for long enough; true of one that cannot be looked at.
    private func isSettled(_ path: [UInt8]) -> Bool {
        do throws(Errno) { return try FileVersion(of: path).isSettled } catch { return true }
    }

    /// A file's bytes and version; nil when an image may not speak for such a file.
    private func contents(
        _ path: [UInt8], _ limit: Int
    ) -> (text: [UInt8], version: FileVersion)? {
        do throws(Errno) {
            guard try FileStatus(following: path).kind == .file else { return nil }
            let file = try FileDescriptor.open(path, .readNonBlocking)
            let version = try FileVersion(of: file)
            guard version.isSettled, try file.isOnLocalFileSystem() else { return nil }
            let text = try file.readToEnd(limit: limit)
            return try FileVersion(of: file) == version ? (text, version) : nil
        } catch {
            // What cannot be read is for the session to say.
            return nil
        }
    }

    /// An image that is being made.
    private struct Draft {
        private(set) var sources: [(path: [UInt8], version: FileVersion)]
        private var entries: [[UInt64]] = []
        private var names: [[UInt8]] = []
        private var contents: [[UInt8]] = []

        init(_ directory: [UInt8], _ folder: FileVersion) { sources = [(directory, folder)] }

        var count: Int { entries.count }
        var size: Int { contents.reduce(0) { $0 + $1.count } }

        mutating func add(
            _ name: [UInt8], _ kind: ControlImage.Kind = .unknown, _ content: [UInt8] = [],
            _ source: (path: [UInt8], version: FileVersion)? = nil
        ) {
            names.append(name)
            contents.append(content)
            entries.append([kind.rawValue] + (source?.version.numbers ?? [0, 0, 0, 0]))
            if let source { sources.append(source) }
        }

        var bytes: [UInt8] {
            let layout = ControlImage.Layout.self
            var start = UInt64((layout.headWords + count * layout.entryWords) * 8)
            var words = [layout.magic, UInt64(count)] + sources[0].version.numbers
            var tail: [UInt8] = []
            for (i, entry) in entries.enumerated() {
                let name = UInt64(names[i].count)
                let content = UInt64(contents[i].count)
                words += [start, name, start + name, content] + entry
                start += name + content
                tail += names[i] + contents[i]
            }
            var bytes: [UInt8] = []
            bytes.reserveCapacity(words.count * 8 + tail.count)
            for word in words { withUnsafeBytes(of: word) { bytes += $0 } }
            return bytes + tail
        }
    }
}

extension Launch {
    /// Give the program an image of the control files, or tell it that it has none.
    package mutating func hand(over image: Int32?) {
        environment.set(
            ControlImage.variable, image.map { _ in [UInt8](decimal: descriptors.count) })
        if let image { descriptors.append(image) }
    }
}
