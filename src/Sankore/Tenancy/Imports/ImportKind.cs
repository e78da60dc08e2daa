using Sankore.Platform.Text;

namespace Sankore.Tenancy.Imports;

/// <summary>A column of a file to import.</summary>
/// <param name="Name">As rows keep it.</param>
/// <param name="Required">Whether the file must have it.</param>
/// <param name="Heads">What it may be called, in either language; the first of each is the template's.</param>
/// <param name="Example">What the template shows.</param>
public sealed record ImportColumn(string Name, bool Required, string French, string English, string Example, params string[] Heads)
{
    /// <summary>Whether a head is this column's.</summary>
    public bool Is(string head) => Heads.Append(French).Append(English).Append(Name).Any(h => Codes.Normalize(h) == Codes.Normalize(head));
}

/// <summary>What can be imported, and the columns it has.</summary>
/// <param name="Name"><c>groups</c>, <c>schools</c> or <c>staff</c>.</param>
public sealed record ImportKind(string Name, IReadOnlyList<ImportColumn> Columns)
{
    /// <summary>School groups, each with its subscription and first administrator if the file says so. The operator's.</summary>
    public static readonly ImportKind Groups = new("groups",
    [
        new("name", true, "Nom", "Name", "Groupe scolaire Excellence", "Groupe"), new("code", false, "Code", "Code", "gs-excellence"), new("city", false, "Ville", "City", "Brazzaville", "Town"),
        new("country", false, "Pays", "Country", "CG"), new("contactEmail", false, "Courriel", "E-mail", "contact@exemple.cg", "Email", "Contact"), new("contactPhone", false, "Téléphone", "Phone", "+242 06 000 00 00", "Telephone"),
        new("plan", false, "Plan", "Plan", "Essentiel"), new("endsOn", false, "Dernier jour", "Last day", "2027-12-31", "Fin", "End"),
        new("adminName", false, "Nom de l'administrateur", "Administrator's name", "Amina Nkounkou", "Administrateur", "Administrator"), new("adminEmail", false, "Courriel de l'administrateur", "Administrator's e-mail", "amina@exemple.cg", "Email administrateur"),
    ]);

    private static readonly ImportColumn Group = new("group", false, "Groupe", "Group", "gs-excellence", "Code du groupe");

    /// <summary>The columns of a file of one group, or of the operator's of many, whose rows name theirs.</summary>
    public IEnumerable<ImportColumn> ColumnsOf(bool many) => Columns.Where(c => many || c != Group);

    /// <summary>Schools of a group, or of many.</summary>
    public static readonly ImportKind Schools = new("schools",
    [
        Group, new("name", true, "Nom", "Name", "Lycée Moderne de Brazzaville", "École", "School"), new("code", false, "Code", "Code", "lycee-moderne"), new("level", false, "Niveau", "Level", "Lycée"), new("city", false, "Ville", "City", "Brazzaville", "Town"),
    ]);

    /// <summary>People of a group, or of many.</summary>
    public static readonly ImportKind Staff = new("staff",
    [
        Group, new("name", true, "Nom", "Name", "Orel Mboungou", "Nom complet", "Full name"), new("email", true, "Courriel", "E-mail", "orel@exemple.cg", "Email", "Mail", "Adresse"), new("role", true, "Rôle", "Role", "Enseignant", "Fonction"),
        new("school", false, "École", "School", "lycee-moderne", "Code de l'école"), new("phone", false, "Téléphone", "Phone", "+242 06 000 00 00", "Telephone"),
    ]);

    /// <summary>All of them.</summary>
    public static readonly IReadOnlyList<ImportKind> All = [Groups, Schools, Staff];

    /// <summary>The kind of a name, or null.</summary>
    public static ImportKind? Named(string? name) => All.FirstOrDefault(k => k.Name == name);
}
