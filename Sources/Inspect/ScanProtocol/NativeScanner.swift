import ByteText

extension ScannerCommand {
    /// Whether qhpsi-host asks clamd itself, and neither loads a plugin nor starts a program: clamd.so alone is wanted,
    /// the installed one, called in no special way.
    ///
    /// - Parameters:
    ///   - plugins: The names after `plugin:`.
    ///   - folder: Where the installed plugins are.
    ///   - variable: The value of a variable of the scan, nil when it is not set.
    /// - Returns: False when there is anything to load or to start.
    package static func asksClamd(
        _ plugins: [[UInt8]], installed folder: [UInt8], _ variable: (StaticString) -> [UInt8]?
    ) -> Bool {
        guard plugins.count == 1, plugins[0].equals("clamd.so"), variable("QUEUE_PLUGIN") == nil,
            variable("QUEUE_PLUGIN_SYMB") == nil
        else { return false }
        return variable("PLUGINDIR")?.elementsEqual(folder) ?? true
    }
}
