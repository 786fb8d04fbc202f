import ByteText
package import CommandLine

/// The program mailq(1).
package enum MailqProgram {
    /// List the messages, and say how many they are.
    ///
    /// - Returns: 0; 100 for an unknown option; 111 when a queue cannot be read.
    package static func run(_ program: Program) -> Int32 {
        ListProgram.run(program) { (queues, output) throws(ListFailure) in
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
