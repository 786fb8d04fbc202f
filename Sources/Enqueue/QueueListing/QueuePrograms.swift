import ByteText

/// The program qmail-qread(8).
package enum QreadProgram {
    /// List the messages.
    ///
    /// - Returns: 0; 100 for an unknown option; 111 when a queue cannot be read.
    package static func run() -> Int32 {
        ListProgram.run("qmail-qread") { (queues, output) throws(ListFailure) in
            var list = MessageList(namesQueue: queues.count > 1)
            for queue in queues { try list.write(queue, to: &output) }
        }
    }
}

/// The program mailq(1).
package enum MailqProgram {
    /// List the messages, and say how many they are.
    ///
    /// - Returns: 0; 100 for an unknown option; 111 when a queue cannot be read.
    package static func run() -> Int32 {
        ListProgram.run("mailq") { (queues, output) throws(ListFailure) in
            var list = MessageList(namesQueue: queues.count > 1)
            for queue in queues { try list.write(queue, to: &output) }
            if list.written == 0 {
                try output.write([UInt8]("Mail queue is empty\n"))
                return
            }
            var line = [UInt8](decimal: list.written)
            line.append(list.written == 1 ? " message" : " messages")
            if list.waiting > 0 {
                line += [UInt8](", ") + [UInt8](decimal: list.waiting)
                line.append(" not yet preprocessed")
            }
            if list.held > 0 {
                line += [UInt8](", ") + [UInt8](decimal: list.held) + [UInt8](" held for a scan")
            }
            try output.write(line + [10])
        }
    }
}

/// The program qmail-qstat(8).
package enum QstatProgram {
    /// Count the messages.
    ///
    /// - Returns: 0; 100 for an unknown option; 111 when a queue cannot be read.
    package static func run() -> Int32 {
        ListProgram.run("qmail-qstat") { (queues, output) throws(ListFailure) in
            var all = 0
            var waiting = 0
            var held = 0
            var lines: [UInt8] = []
            for queue in queues {
                let counts = try queue.counts()
                all += counts.all
                waiting += counts.waiting
                held += counts.held
                lines += queue.name + [UInt8](": ") + [UInt8](decimal: counts.all)
                lines += [UInt8](", ") + [UInt8](decimal: counts.waiting)
                lines.append(" not yet preprocessed\n")
            }
            try output.write([UInt8]("messages in queue: ") + [UInt8](decimal: all) + [10])
            try output.write(
                [UInt8]("messages in queue but not yet preprocessed: ") + [UInt8](decimal: waiting)
                    + [10])
            if held > 0 {
                try output.write(
                    [UInt8]("messages held for a scan: ") + [UInt8](decimal: held) + [10])
            }
            if queues.count > 1 { try output.write(lines) }
        }
    }
}
