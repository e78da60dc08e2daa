using System.Xml;

namespace Sankore.Platform.Files;

/// <summary>What the readers of sheets in XML have in common.</summary>
internal static class SheetXml
{
    /// <summary>The last row that any of their programs has.</summary>
    public const int MaxRow = XlsxExport.MaxRows;

    private static readonly XmlReaderSettings Settings =
        new() { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, IgnoreComments = true, IgnoreProcessingInstructions = true };

    /// <summary>Reads XML that nobody vouches for.</summary>
    public static XmlReader Reader(Stream part) => XmlReader.Create(part, Settings);

    /// <summary>Whether an element begins here.</summary>
    public static bool IsStart(this XmlReader xml, string name) => xml.NodeType == XmlNodeType.Element && xml.LocalName == name;

    /// <summary>Whether an element ends here.</summary>
    public static bool IsEnd(this XmlReader xml, string name) => xml.NodeType == XmlNodeType.EndElement && xml.LocalName == name;
}
