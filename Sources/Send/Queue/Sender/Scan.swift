import Posix
import QueueStore
import SendQueue

/// A look at folders of the queues, piece by piece between deliveries.
struct Scan {
    /// Which folder.
    enum Folder {
        /// Mail that qmail-queue committed.
        case todo
        /// Mail that waits for a scan.
        case hold
        /// Mail that was taken over; only when the process starts.
        case info
        /// Everything that has a message, for what crashes left; now and then.
        case mess

        var name: StaticString {
            switch self {
            case .todo: "todo"
            case .hold: "hold"
            case .info: "info"
            case .mess: "mess"
            }
        }
    }

    private struct Part {
        let queue: Int
        let folder: Folder
        let number: Int
    }

    private var parts: [Part] = []
    private var part: Part?
    private var ids: [UInt64] = []
    /// Info folders that have not been read yet.
    private var informationLeft = 0

    /// Whether info/ is not all known yet.
    var isReadingInformation: Bool {
        informationLeft > 0 || part?.folder == .info && !ids.isEmpty
    }

    /// Whether there is nothing to look at.
    var isOver: Bool { parts.isEmpty && ids.isEmpty }

    /// Look at all todo folders, where new mail waits, and behind them at what is held, and at the info folders when it is the
    /// first time.
    mutating func begin(_ queues: [SendQueue], isFirst: Bool) {
        var new: [Part] = []
        for folder in isFirst ? [Folder.todo, .info, .hold] : [.todo, .hold] {
            for (index, queue) in queues.enumerated() {
                for number in 0..<queue.directory.split {
                    new.append(Part(queue: index, folder: folder, number: number))
                    if folder == .info { informationLeft += 1 }
                }
            }
        }
        parts += new.reversed()
    }

    /// Look for what crashes have left.
    mutating func beginCleaning(_ queues: [SendQueue]) {
        for (index, queue) in queues.enumerated() {
            for number in 0..<queue.directory.split {
                parts.append(Part(queue: index, folder: .mess, number: number))
            }
        }
    }

    /// The next file; nil when there is none.
    ///
    /// - Throws: When a folder cannot be read; the next call goes on behind it.
    mutating func next(
        _ queues: [SendQueue]
    ) throws(Errno) -> (queue: Int, folder: Folder, id: UInt64)? {
        while true {
            if let part, let id = ids.popLast() { return (part.queue, part.folder, id) }
            guard let next = parts.popLast() else {
                part = nil
                return nil
            }
            part = next
            if next.folder == .info { informationLeft -= 1 }
            ids = try queues[next.queue].messages(in: next.folder.name, next.number)
        }
    }
}
