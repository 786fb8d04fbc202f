import ByteText
import MailFormat

/// Writes what is in the queues: a line for each message, and one for each of its recipients.
struct MessageList {
    /// Whether the lines name the queue: there are several.
    let namesQueue: Bool
    /// How many messages have been written, and how many of them qmail-send has not taken up yet.
    private(set) var written = 0
    private(set) var waiting = 0
    /// How many of them wait for a scan.
    private(set) var held = 0

    init(namesQueue: Bool) { self.namesQueue = namesQueue }

    /// Write the messages of a queue.
    mutating func write(
        _ queue: ListedQueue, to output: inout ListOutput
    ) throws(ListFailure) {
        for part in queue.parts {
            for id in try queue.ids("hold", part) {
                try write(id, of: queue, from: "hold", to: &output)
            }
            for id in try queue.ids("todo", part) {
                try write(id, of: queue, from: "todo", to: &output)
            }
            for id in try queue.ids("info", part) where try !queue.isWaiting(id) {
                try write(id, of: queue, from: "info", to: &output)
            }
        }
    }

    /// Write a message, unless it has been delivered meanwhile.
    private mutating func write(
        _ id: UInt64, of queue: ListedQueue, from folder: StaticString, to output: inout ListOutput
    ) throws(ListFailure) {
        var sender: [UInt8]?
        try queue.forEachRecord(folder, id) { (record) throws(ListFailure) in
            if sender == nil, record.first == UInt8(ascii: "F") {
                sender = Array(record.dropFirst())
            }
        }
        guard let sender, let time = try queue.time(folder, id), let size = try queue.size(id)
        else { return }
        let isWaiting = [UInt8](folder).equals("todo")
        let isHeld = [UInt8](folder).equals("hold")
        var line = MailDate.listed(seconds: time) + [UInt8]("  #") + [UInt8](decimal: id)
        line += [UInt8]("  ") + [UInt8](decimal: size) + [UInt8]("  <") + sender.shown
        line.append(UInt8(ascii: ">"))
        if isHeld {
            line.append(" held for a scan")
        } else if try queue.isBouncing(id) {
            line.append(" bouncing")
        }
        if namesQueue { line += [32] + queue.name }
        try output.write(line + [10])
        written += 1
        if isHeld {
            held += 1
            try writeRecipients(id, of: queue, "hold", to: &output)
        } else if isWaiting {
            waiting += 1
            try writeRecipients(id, of: queue, "todo", to: &output)
        } else {
            try writeRecipients(id, of: queue, "local", to: &output)
            try writeRecipients(id, of: queue, "remote", to: &output)
        }
    }

    private func writeRecipients(
        _ id: UInt64, of queue: ListedQueue, _ folder: StaticString, to output: inout ListOutput
    ) throws(ListFailure) {
        try queue.forEachRecord(folder, id) { (record) throws(ListFailure) in
            var line: [UInt8] = []
            switch record.first {
            case UInt8(ascii: "T"): break
            case UInt8(ascii: "D"): line.append("  done")
            // What the sender wants to be told about a recipient, or who queued the message.
            default: return
            }
            line += [9] + [UInt8](folder) + [9] + Array(record.dropFirst()).shown + [10]
            try output.write(line)
        }
    }
}

extension [UInt8] {
    /// An address as one word that can do nothing to a terminal.
    fileprivate var shown: [UInt8] {
        let isText = isUTF8
        return indices.map { i in
            let byte = self[i]
            // The C1 control characters of UTF-8; where it is not that, any byte may be one.
            let pair =
                byte == 0xC2 ? self[(i + 1)...].first : i > 0 && self[i - 1] == 0xC2 ? byte : nil
            let isControl =
                byte.isControl || byte >= 128 && !isText
                || pair.map { (128..<160).contains($0) } == true
            return byte == 32 || isControl ? UInt8(ascii: "_") : byte
        }
    }
}
