import ByteText
import ControlFiles
import Envelope
import Posix
import QueueStore

/// The program qmail-clean(8): removes what qmail-send may not.
package enum CleanProgram {
    /// The most bytes of a request.
    private static let requestLimit = 128
    /// Answer requests on descriptor 0 until it ends.
    ///
    /// - Returns: 0 at the end, 111 when nothing can be read or answered; see qmail-clean(8).
    package static func run() -> Int32 {
        let instance = Instance.current(Environment.current)
        let input = FileDescriptor(adopting: 0)
        let output = FileDescriptor(adopting: 1)
        var cleaner = Cleaner(spool: instance.spool)
        var buffer = [UInt8](repeating: 0, count: 1 << 14)
        var pending: [UInt8] = []
        do throws(Errno) {
            guard let alone = try Alone(spool: instance.spool, input) else { return 0 }
            defer { alone.end() }
            // Only now may qmail-send look into the queues.
            try output.write([UInt8(ascii: "+")])
            while true {
                let count = try input.read(into: &buffer)
                if count == 0 { return 0 }
                var answers: [UInt8] = []
                for byte in buffer[..<count] {
                    if byte != 0 {
                        // What is too long is no request, and is answered as such.
                        if pending.count < requestLimit { pending.append(byte) }
                        continue
                    }
                    answers.append(cleaner.remove(pending) ? UInt8(ascii: "+") : UInt8(ascii: "x"))
                    pending.removeAll(keepingCapacity: true)
                }
                try output.write(answers)
            }
        } catch {
            return 111
        }
    }

    /// The queues of a spool and what may be removed from them.
    private struct Cleaner {
        let spool: [UInt8]
        private var known: [QueueDirectory] = []

        init(spool: [UInt8]) { self.spool = spool }

        /// Do what a request says, `WHAT QUEUE/ID`; what is gone already counts as removed.
        mutating func remove(_ request: [UInt8]) -> Bool {
            guard let space = request.firstIndex(of: 32),
                let slash = request.firstIndex(of: UInt8(ascii: "/")), space < slash,
                let queue = queue(Array(request[(space + 1)..<slash])),
                let number = Array(request[(slash + 1)...]).decimalValue
            else { return false }
            let id = UInt64(number)
            let what = Array(request[..<space])
            do throws(Errno) {
                if what.equals("todo") {
                    try removeIfThere(queue.file("intd", id))
                    try removeIfThere(queue.file("todo", id))
                } else if what.equals("all") {
                    // todo first: from then on nobody delivers it again.
                    try removeIfThere(queue.file("todo", id))
                    try removeIfThere(queue.file("intd", id))
                    try removeIfThere(queue.file("mess", id))
                } else if what.equals("mess") {
                    // A crash may have left its name here; mess goes last, for it keeps the number from being used.
                    try removeIfThere(queue.file("intd", id))
                    try removeIfThere(queue.file("mess", id))
                } else if what.equals("lost") {
                    try removeAbandoned(id, queue)
                } else if what.equals("left") {
                    try AbandonedFile.removeAll(in: Folder.open(queue.file("pid")))
                    try AbandonedFile.removeAll(in: Folder.open(queue.file("scan")))
                } else {
                    return false
                }
                return true
            } catch {
                return false
            }
        }

        private func removeIfThere(_ path: [UInt8]) throws(Errno) {
            do throws(Errno) { try Files.unlink(path) } catch {
                if error != .noSuchFile { throw error }
            }
        }

        /// A queue by its name in the spool; names lead nowhere else.
        private mutating func queue(_ name: [UInt8]) -> QueueDirectory? {
            if let queue = known.first(where: { $0.name.elementsEqual(name) }) { return queue }
            guard name.starts(with: "queue"),
                name.allSatisfy({ $0.isLetter || $0.isDigit || $0 == UInt8(ascii: "-") })
            else { return nil }
            do throws(QueueExit) {
                let queue = try QueueDirectory(opening: spool + [UInt8(ascii: "/")] + name)
                known.append(queue)
                return queue
            } catch {
                return nil
            }
        }

        /// Remove the mess file of a message that was never committed, unless somebody works on it.
        private func removeAbandoned(_ id: UInt64, _ queue: QueueDirectory) throws(Errno) {
            let folder = try Folder.open(queue.folder("mess", id))
            let name = [UInt8](decimal: id)
            guard let file = try AbandonedFile.claim(name, in: folder) else { return }
            // The lock was somebody's until now, who may have committed it.
            let isHeld = try isThere(queue.file("hold", id))
            let isWaiting = try isThere(queue.file("todo", id))
            if !isHeld, !isWaiting {
                try removeIfThere(queue.file("intd", id))
                try file.remove(name, from: folder)
            }
            file.release()
        }

        private func isThere(_ path: [UInt8]) throws(Errno) -> Bool {
            do throws(Errno) {
                _ = try FileStatus(of: path)
                return true
            } catch {
                if error == .noSuchFile { return false }
                throw error
            }
        }
    }
}
